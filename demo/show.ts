import { styleText } from 'node:util'
import { type RunOptions, type RunResult, runAction } from '../test/support/runner/runner.ts'

/** Shows the log while the action runs, then what it left behind. */
export async function show(title: string, options: RunOptions): Promise<RunResult> {
  heading(title)
  const run = await runAction({ ...options, timeoutMs: options.timeoutMs ?? 120_000, onLine: showLine })
  heading('The job summary')
  print(foldedAway(run.summary) || '(none)')
  heading('The outputs')
  for (const [name, value] of Object.entries(run.outputs)) print(`  ${name.padEnd(20)} ${value}`)
  process.exitCode = run.exitCode ?? 1
  return run
}

export function showLine(line: string, folded: boolean): void {
  if (!folded) print(`  ${line.replace(/^▾/, '▸')}`)
}

/** A job summary with what GitHub folds away folded away here too. */
export function foldedAway(summary: string): string {
  return summary.replaceAll(/<details>\n<summary>(.*)<\/summary>[\s\S]*?<\/details>\n/g, '▸ $1\n').trimEnd()
}

export function heading(text: string): void {
  print(`\n${styleText(['bold', 'cyan'], text)}`)
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

export function count(number: number): string {
  return number.toLocaleString('en')
}
