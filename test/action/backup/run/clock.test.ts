import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, readSnapshot, threeDocuments } from '../../support.ts'

describe('a clock that is set back while a run goes on', () => {
  it.concurrent('changes no duration, and no order of times', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    // An hour back as soon as the snapshot has its name.
    const setBack = `let asked = 0
      const Real = Date
      globalThis.Date = class extends Real {
        constructor(...given) { given.length ? super(...given) : super(Real.now() - (++asked > 3 ? 3600e3 : 0)) }
      }`
    await using done = await backUp({ sanity }, { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(setBack)}` } })

    const { manifest } = await readSnapshot(done)
    expect(done.exitCode).toBe(0)
    expect(Date.parse(manifest.finishedAt)).toBeGreaterThanOrEqual(Date.parse(manifest.takenAt))
    expect(`${done.summary}${done.log}`).not.toMatch(/-\d+(\.\d+)? (s|min|kB|B)\b/)
  })
})
