import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { type BackupOptions, type BackupRun, backUp, threeDocuments } from '../../support.ts'

export type Inputs = Readonly<Record<string, string>>

/** Backs up a small dataset with some inputs. */
export async function backUpWith(
  inputs: Inputs,
  options: BackupOptions = {},
): Promise<{ run: BackupRun; requests: number; authorization: string | undefined }> {
  await using sanity = await startSanity({ documents: threeDocuments, tokens: { [otherToken]: { role: 'viewer' } } })
  await using run = await backUp({ sanity }, { ...options, inputs })
  return { run, requests: sanity.requests.length, authorization: sanity.of('export')[0]?.authorization }
}

export const otherToken = 'skOTHER0123456789abcdefghijklmnopqrstuvwxyzOTHER'
export const invalid = { exitCode: 1, code: 'input-invalid' }

/** The problems that the one error names, without the hint. */
export const problemsOf = (run: BackupRun): string[] => (run.error?.message ?? '').split('\nHint: ')[0]!.split('\n')
