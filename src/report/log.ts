import * as core from '@actions/core'
import type { FoldingLog } from '../tools.ts'

/** How often a long step says how far it has come, in milliseconds: lines in GitHub's log, one live line on a terminal. */
const progressMs = { lines: 5_000, live: 200 } as const

/** Makes the log of a run. Each line goes through `clean`, which takes secrets and workflow commands out of it. */
export function makeLog(clean: (text: string) => string, env: NodeJS.ProcessEnv): FoldingLog {
  const live = process.stdout.isTTY && env['GITHUB_ACTIONS'] !== 'true'
  const everyMs = live ? progressMs.live : progressMs.lines
  let lastProgress = performance.now()
  const oneLine = (text: string): string => clean(text).replace(/\n/g, ' ')
  const endLiveLine = (): void => {
    if (live) process.stdout.write('\r\u001b[2K')
  }
  return {
    info: (line) => {
      endLiveLine()
      core.info(oneLine(line))
    },
    warning: (line) => {
      endLiveLine()
      core.warning(clean(line))
    },
    debug: (line) => core.debug(oneLine(line)),
    progress: (line) => {
      if (performance.now() - lastProgress < everyMs) return
      lastProgress = performance.now()
      if (live) process.stdout.write(`\r\u001b[2K${oneLine(line())}`)
      else core.info(oneLine(line()))
    },
    fold: async (title, stop, work) => {
      // Only GitHub folds: elsewhere the two commands would be two lines more.
      if (env['GITHUB_ACTIONS'] !== 'true') return await work()
      core.startGroup(oneLine(title))
      const end = once(() => core.endGroup())
      stop.addEventListener('abort', end, { once: true })
      try {
        return await work()
      } finally {
        stop.removeEventListener('abort', end)
        end()
      }
    },
  }
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}
