import { describe, expect, it } from '@jest/globals'
import { hostHealth } from '../../../../src/commands/backup/assets/host-health.ts'
import { BackupError } from '../../../../src/errors.ts'

const error = new BackupError({ code: 'sanity-unavailable', title: 'Sanity is not well', message: 'm', hint: 'h', retry: { tries: 5 } })
const paths = (count: number) => Array.from({ length: count }, (_, index) => `assets/files/${index}`)

/** The files, one after the other, until the error that ends the run comes; how many it took, if it came. */
function untilItFails(files: readonly string[], note: (path: string) => BackupError): number | undefined {
  for (const [index, path] of files.entries()) if (note(path).title === 'The asset host fails time after time') return index + 1
  return undefined
}

describe('the health of the asset host', () => {
  it.each([
    { concurrency: 1, files: paths(20), after: 5 },
    { concurrency: 8, files: paths(40), after: 32 },
    { concurrency: 2, files: Array.from({ length: 100 }, () => 'assets/files/a'), after: undefined },
  ])('ends the run after enough failures of enough files: $concurrency at a time', ({ concurrency, files, after }) => {
    const health = hostHealth({ concurrency })
    expect(untilItFails(files, (path) => health.failed(error, path))).toBe(after)
  })

  it('counts from the start again when the host answers', () => {
    const health = hostHealth({ concurrency: 1 })
    const noted = paths(100).map((path) => {
      health.answered()
      return health.failed(error, path)
    })
    expect(new Set(noted)).toEqual(new Set([error]))
  })

  it('ends the run after a hundred wrong files, none of them right, though the host answers', () => {
    const health = hostHealth({ concurrency: 8 })
    const note = (path: string) => {
      health.answered()
      return health.sentWrongFile(error, path)
    }
    expect(untilItFails(paths(99), note)).toBeUndefined()
    health.sentRightFile()
    expect(untilItFails(paths(200), note)).toBe(100)
  })

  it('says what the last failure was, and that no further request helps', () => {
    const health = hostHealth({ concurrency: 1 })
    const last = paths(5)
      .map((path) => health.failed(error, path))
      .at(-1)
    expect(last).toMatchObject({ code: error.code, hint: 'h', retry: { tries: 1 } })
    expect(last?.message).toBe(
      '5 requests for the files of assets failed, one after the other, so no more were made. The last one: Sanity is not well: m',
    )
  })
})
