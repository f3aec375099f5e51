import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writeSection } from '../../docs/section.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { startSanity } from '../doubles/sanity/sanity.ts'
import { makeTempFolder, ROOT } from '../support/process.ts'
import { runExporter, runOurs } from './contenders.ts'
import { type Ended, judgeExporter, judgeOurs, type Verdict } from './judge.ts'
import { type Row, sixtyDocuments } from './row.ts'
import { rows } from './rows.ts'

/**
 * Runs the official exporter and ours under every fault, against the same server, and prints one table: `npm run faults`.
 *
 * `-- --only F30` runs some rows only; `-- --write` puts the table into docs/reliability.md. Needs root, to mount small disks.
 * Exits with 1 if ours is ever wrong.
 */
const { values } = parseArgs({ options: { only: { type: 'string', default: 'F' }, write: { type: 'boolean', default: false } } })

/** Rows that mostly wait run beside the others. */
const slowSeconds = 100
const lanes = 2

type Side = { readonly ended: Ended; readonly verdict: Verdict }
type Done = { readonly row: Row; readonly exporter: Side; readonly ours: Side }

const startedAt = performance.now()
const table = await runAll(rows.filter(({ id }) => id.startsWith(values.only)))
const text = print(table)
console.log(`\n${text}`)
if (values.write) await writeSection(join(ROOT, 'docs/reliability.md'), 'faults', text)
const wrong = table.filter(({ ours }) => ours.verdict.wrong)
for (const { row, ours } of wrong) console.log(`\n${row.id} ${row.name}: ${ours.verdict.words}\n${ours.ended.seen.slice(-2000)}`)
process.exitCode = wrong.length === 0 ? 0 : 1

async function runAll(chosen: readonly Row[]): Promise<Done[]> {
  const done = new Map<Row, Done>()
  const waiting = (row: Row) => (row.limit?.ours ?? 0) > slowSeconds
  const queue = chosen.filter((row) => !waiting(row))
  const lane = async () => {
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) done.set(row, await runRow(row))
  }
  await Promise.all([
    ...chosen.filter(waiting).map(async (row) => done.set(row, await runRow(row))),
    ...Array.from({ length: lanes }, lane),
  ])
  return chosen.flatMap((row) => done.get(row) ?? [])
}

async function runRow(row: Row): Promise<Done> {
  const exporter = await runSide(row, 'exporter')
  const ours = await runSide(row, 'ours')
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  console.error(`${seconds} s: ${row.id} ${row.name}: exporter ${exporter.verdict.words}; ours ${ours.verdict.words}`)
  return { row, exporter, ours }
}

async function runSide(row: Row, side: 'exporter' | 'ours'): Promise<Side> {
  await using temp = await makeTempFolder('faults')
  await using sanity = await startSanity(row.dataset?.lines ? row.dataset : { documents: sixtyDocuments, ...row.dataset })
  const token = row.token ?? sanity.token
  row.arrange?.(sanity)
  const folder = join(temp.path, 'work')
  await mkdir(folder)
  await using place = await row.place?.(temp.path, sanity)
  const ended = await (side === 'ours' ? runOurs : runExporter)({ row, sanity, place, folder })
  const lines = sanity.store().entries.map(({ line }) => line)
  const truth = row.whole?.(lines) ?? lines
  const verdict = side === 'ours' ? judgeOurs(row, ended, truth, token) : judgeExporter(ended, truth, token)
  if ((place?.betrayed?.() ?? 0) === 0) return { ended, verdict }
  return { ended, verdict: { words: `${verdict.words}, **and the token goes to a stranger**`, wrong: true } }
}

function print(done: readonly Done[]): string {
  const cells = ({ ended, verdict }: Side) => [verdict.words, ended.seconds.toFixed(1), String(ended.requests), ended.left || 'nothing']
  const lines = done.map(({ row, exporter, ours }) => `| ${[row.id, row.name, ...cells(exporter), ...cells(ours)].join(' | ')} |`)
  const count = (side: 'exporter' | 'ours', words: RegExp) => done.filter((each) => words.test(each[side].verdict.words)).length
  const sums = (side: 'exporter' | 'ours') =>
    `${count(side, /green, WRONG/)} wrong successes (of these ${count(side, /rewritten/)} rewrites), ${count(side, /hangs/)} hangs, ${count(side, /token/)} tokens given away`
  return [
    `${done.length} faults, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, \`@sanity/export\` ${exporterVersion()}.`,
    '',
    `- Official exporter: ${sums('exporter')}.`,
    `- Ours: ${sums('ours')}; ${done.filter(({ ours }) => ours.verdict.wrong).length} rows that did not end as they must.`,
    '',
    '| | fault | exporter | s | requests | left on disk | ours | s | requests | left on disk |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

function exporterVersion(): string {
  return packageJson.devDependencies['@sanity/export']
}
