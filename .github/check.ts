import { spawnSync } from 'node:child_process'

/** `npm run check`: every part is run, even after one failed, and the last line names those that failed. */

interface Part {
  readonly name: string
  readonly passes: () => boolean
}

const parts: readonly Part[] = [
  { name: 'lint (format, import rules, workflows)', passes: () => succeeds('npm run -s lint') },
  { name: 'types', passes: () => succeeds('npm run -s types') },
  { name: 'dead code', passes: () => succeeds('npm run -s dead-code') },
  { name: 'tables of README.md', passes: () => succeeds('npm run -s docs -- --check') },
  { name: 'dist rebuilt and unchanged', passes: () => succeeds('npm run -s build') && distIsCommitted() },
]

const failed = parts.filter(({ name, passes }) => {
  const startedAt = performance.now()
  const passed = passes()
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  process.stdout.write(`check: ${name}: ${passed ? 'good' : 'FAILED'} (${seconds} s)\n`)
  return !passed
})

if (failed.length > 0) {
  process.stderr.write(`check failed: ${failed.map(({ name }) => name).join('; ')}\n`)
  process.exitCode = 1
}

function distIsCommitted(): boolean {
  const untracked = spawnSync('git', ['ls-files', '--others', '--', 'dist'], { encoding: 'utf8' })
  const committed = untracked.status === 0 && untracked.stdout === '' && succeeds('git diff --exit-code --stat -- dist')
  if (!committed) {
    process.stderr.write(`${untracked.stdout}dist differs from what src builds: commit what \`npm run build\` left there.\n`)
  }
  return committed
}

function succeeds(command: string): boolean {
  return spawnSync(command, { shell: true, stdio: 'inherit' }).status === 0
}
