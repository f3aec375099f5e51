import { styleText } from 'node:util'
import type { Sanity } from '../test/doubles/sanity/sanity.ts'
import { type RunResult, runAction } from '../test/support/runner/runner.ts'
import { count, foldedAway, heading, print, showLine } from './show.ts'

type Document = Readonly<Record<string, unknown>> & { readonly _id: string; readonly _type: string }

/** The environment of a workflow run of its own. */
type NewRun = () => Readonly<Record<string, string>>

/** Spoils the emulated dataset, and brings it back to the last backup: the plan, the plan carried out, and a second plan. */
export async function showRescue(sanity: Sanity, newRun: NewRun): Promise<void> {
  const before = contentOf(sanity)
  heading('Disaster: a script goes wrong')
  for (const line of await spoil(sanity)) print(`  ${line}`)

  const inputs = { 'project-id': sanity.project, dataset: sanity.dataset, 'api-host': sanity.url, mirror: 'true' }
  const restore = async (more: Readonly<Record<string, string>>) =>
    await runAction({ action: 'restore', inputs: { ...inputs, ...more }, env: newRun(), timeoutMs: 120_000, onLine: showLine })

  heading('Rescue 1: the plan. The token can only read, and nothing is written')
  await using plan = await restore({ token: sanity.token })
  if (failed(plan)) return

  const approved = { mode: 'apply', confirm: sanity.dataset, 'plan-digest': plan.outputs['plan-digest'] ?? '' }
  heading('Rescue 2: the plan is approved, and carried out with an Editor token')
  for (const [name, value] of Object.entries(approved)) print(`  ${`${name}:`.padEnd(13)} ${value}`)
  await using applied = await restore({ token: sanity.editorToken, ...approved })
  if (failed(applied)) return

  heading('Rescue 3: a second plan')
  await using again = await restore({ token: sanity.token })
  print(`  ${again.summary.split('\n')[0]?.replace('## ', '')}`)

  const after = contentOf(sanity)
  const equal = [...before].filter(([id, text]) => after.get(id) === text).length
  heading(
    `Compared by the demo itself: ${count(equal)} of ${count(before.size)} documents as they were before, ${count(after.size - equal)} others`,
  )
  if (equal !== before.size || after.size !== equal) process.exitCode = 1
}

/** Shows the summary of a run. Gives whether it failed. */
function failed({ exitCode, summary }: RunResult): boolean {
  print(styleText('dim', foldedAway(summary).replaceAll(/^/gm, '  │ ')))
  if (exitCode !== 0) process.exitCode = exitCode ?? 1
  return exitCode !== 0
}

/** What a hurried script does to the emulated dataset. Gives what to print. */
export async function spoil(sanity: Sanity): Promise<string[]> {
  const documents = [...documentsOf(sanity)]
  const needed = new Set(documents.flatMap((document) => referencesIn(document)))
  const products = documents.filter(({ _type, _id }) => _type === 'product' && !_id.includes('.'))
  const pages = documents.filter(({ _type, _id }) => _type === 'page' && !needed.has(_id))
  const added = Array.from({ length: 25 }, (_, index) => ({ _id: `import-${index + 1}`, _type: 'article', title: 'undefined' }))
  await sanity.edit([
    ...products.map(({ _id: id }) => ({ patch: { id, set: { price: { _type: 'money', amount: 0, currency: 'EUR' } } } })),
    ...pages.map(({ _id: id }) => ({ delete: { id } })),
    ...added.map((create) => ({ create })),
  ])
  return [
    `${count(products.length)} products now cost nothing`,
    `${count(pages.length)} pages are deleted`,
    `${count(added.length)} articles called "undefined" are added`,
  ]
}

function documentsOf(sanity: Sanity): Document[] {
  return sanity.store().documents() as unknown as Document[]
}

/** Each document as text, without what every write changes. */
function contentOf(sanity: Sanity): Map<string, string> {
  return new Map(documentsOf(sanity).map(({ _rev: _, _updatedAt: __, ...document }) => [document._id, JSON.stringify(sorted(document))]))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  )
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = '_ref' in value && typeof value._ref === 'string' ? [value._ref] : []
  return [...own, ...Object.values(value).flatMap(referencesIn)]
}
