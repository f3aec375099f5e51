import { parseArgs } from 'node:util'
import { startSanity } from '../test/doubles/sanity/sanity.ts'
import { runAction } from '../test/support/runner/runner.ts'
import { machine } from './measure.ts'

const limitMs = 1500

/** How long a run takes from process start until it has refused a token that Sanity does not know: `--runs 5`. */
export async function run(options: string[]): Promise<number> {
  const { values } = parseArgs({ args: options, options: { runs: { type: 'string', default: '5' } } })
  await using sanity = await startSanity({ documents: [] })
  const times: number[] = []
  for (let round = 1; round <= Number(values.runs); round++) {
    const inputs = { 'project-id': 'abc12345', token: 'skWRONGabcdefghijklmnopqrstuvwxyz0123456789', 'api-host': sanity.url }
    await using result = await runAction({ inputs: { ...inputs, destination: 'directory' } })
    if (result.outputs['error-code'] !== 'sanity-unauthorized' || sanity.requests.length !== round)
      throw new Error(`not what is measured here:\n${result.maskedLog}`)
    times.push(result.durationMs)
  }
  const sorted = times.sort((a, b) => a - b)
  const medianMs = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  console.log(`${machine()}\nA bad token is refused ${(medianMs / 1000).toFixed(2)} s after process start (median of ${times.length}).`)
  if (medianMs < limitMs) return 0
  console.log(`MISSED: below ${limitMs / 1000} s`)
  return 1
}
