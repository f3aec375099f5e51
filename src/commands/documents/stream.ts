import { retrying, retryRules } from '../../http/retry.ts'
import { exportDocuments } from '../../sanity/export/stream.ts'
import type { Tools } from '../../tools.ts'
import { type Exported, exportProgress, type WayNeeds } from './way.ts'

/** Saves the documents as one request gives them: all of one moment. A try that fails is made again from the start. */
export async function saveStream(needs: WayNeeds, tools: Tools): Promise<Exported> {
  return await retrying(() => streamOnce(needs, tools), {
    ...retryRules(tools),
    giveUp: ({ retry }) => needs.stopAtCut && retry.cut === true,
  })
}

async function streamOnce({ api, types, expected, startTally, intake, write }: WayNeeds, tools: Tools): Promise<Exported> {
  const tally = startTally()
  const progress = exportProgress(tools)
  intake?.restart()
  const lines = async function* (): AsyncGenerator<Buffer[]> {
    for await (const batch of exportDocuments(api, { types, expected })) {
      progress(batch)
      await intake?.take(batch)
      yield tally.pick(batch)
    }
  }
  const data = await write(lines())
  return { tally: tally.result(), data, repeated: 0 }
}
