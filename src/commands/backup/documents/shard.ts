import { assetTypes } from '../../../format/asset-id.ts'
import type { Inputs } from '../../../inputs/backup.ts'
import { type WrittenData, writeData } from '../../../snapshot/write/data-file.ts'

/** Whether this job saves the documents. Of several shards only the first does; the others look for assets among them. */
export function savesDocuments({ shard }: Inputs): boolean {
  return shard === null || shard.index === 1
}

/** What is asked for. A shard that saves no documents needs none but those of assets. */
export function askedFor(inputs: Inputs): Inputs {
  const { filters } = inputs
  return savesDocuments(inputs) || filters.types.length > 0 ? inputs : { ...inputs, filters: { ...filters, types: assetTypes } }
}

type Data = { readonly inputs: Inputs; readonly folder: string; readonly lines: AsyncIterable<readonly Buffer[]> }

/** Writes the data file; a shard that saves no documents lets them go by, and there is none. */
export async function writeDocuments({ inputs, folder, lines }: Data): Promise<WrittenData | undefined> {
  if (savesDocuments(inputs)) return await writeData(folder, { lines, compression: inputs.compression, level: inputs.compressionLevel })
  for await (const _ of lines);
  return undefined
}
