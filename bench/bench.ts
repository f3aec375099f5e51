/**
 * `npm run bench` compares the action with its peers; `npm run bench -- <name> [options]` runs one of the measurements below. Each is a file that
 * gives the exit code: 1 if a goal was missed.
 */
const benches: Readonly<Record<string, () => Promise<{ readonly run: (options: string[]) => Promise<number> }>>> = {
  assets: () => import('./assets.ts'),
  branch: () => import('./branch.ts'),
  documents: () => import('./documents.ts'),
  growth: () => import('./growth.ts'),
  restore: () => import('./restore.ts'),
  startup: () => import('./startup.ts'),
  verify: () => import('./verify.ts'),
}

const [first = '', ...others] = process.argv.slice(2)
const isNamed = first !== '' && !first.startsWith('-')
const name = isNamed ? first : 'documents'
const load = benches[name]
if (load === undefined) throw new Error(`there is no bench "${name}"; there are: ${Object.keys(benches).join(', ')}`)
const { run } = await load()
process.exitCode = await run(isNamed ? others : process.argv.slice(2))
