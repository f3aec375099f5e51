import { stopwatch } from '../../../src/stopwatch.ts'
import type { Tools } from '../../../src/tools.ts'

/** Tools that touch nothing and never wait, and what was logged with them. What a step must not use is missing. */
export function stepTools(signal = new AbortController().signal): { readonly tools: Tools; readonly logged: string[] } {
  const logged: string[] = []
  const write = (level: string) => (line: string) => void logged.push(`${level}: ${line}`)
  const tools = {
    log: { info: write('info'), warning: write('warning'), debug: write('debug'), progress: () => undefined },
    clean: (text: string) => text.replaceAll('skTOKEN', '***'),
    now: () => new Date('2026-11-22T08:15:00Z'),
    wait: async () => signal.throwIfAborted(),
    stopwatch: stopwatch(),
    signal,
  } as unknown as Tools
  return { tools, logged }
}
