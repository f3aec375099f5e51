import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** `npm run build`: compiles src to lib, and bundles dist: the action itself, and beside it each program that it runs in a thread. */

process.chdir(resolve(import.meta.dirname, '..'))

/** Not a program, but what starts them. */
const starter = 'start.js'

rmSync('lib', { recursive: true, force: true })
run('tsc', '-p', 'tsconfig.build.json')
bundle('lib/main.js', 'dist', '--license', 'licenses.txt')
for (const program of readdirSync('lib/threads').filter((name) => name !== starter)) {
  const folder = join('lib/bundled', program)
  bundle(join('lib/threads', program), folder)
  copyFileSync(join(folder, 'index.js'), join('dist', program))
}

function bundle(program: string, folder: string, ...options: readonly string[]): void {
  run('npm', 'run', '-s', 'bundle', '--', program, '-o', folder, ...options)
}

/** npm puts the commands of its packages on the path. */
function run(command: string, ...args: readonly string[]): void {
  const { status } = spawnSync(`${command} ${args.join(' ')}`, { shell: true, stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}
