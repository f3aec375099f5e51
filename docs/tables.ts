import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { fillSection } from './section.ts'

/**
 * `node docs/tables.ts` writes the tables of inputs and outputs of each door into its page, from its action.yml; with `--check` it only
 * compares. Another page for the first door can be named as an argument.
 */

interface Input {
  readonly description: string
  readonly required?: boolean
  readonly default?: string
}

interface Action {
  readonly inputs: Readonly<Record<string, Input>>
  readonly outputs: Readonly<Record<string, { readonly description: string }>>
}

const root = resolve(import.meta.dirname, '..')
const checksOnly = process.argv.includes('--check')
const named = process.argv.slice(2).find((argument) => !argument.startsWith('--'))
const doors = [
  { door: 'action.yml', page: named ?? resolve(root, 'README.md') },
  ...(named === undefined
    ? ['verify', 'restore'].map((command) => ({ door: `${command}/action.yml`, page: resolve(root, `docs/${command}.md`) }))
    : []),
]

for (const { door, page } of doors) {
  try {
    fillPage(door, page)
  } catch (error) {
    fail(Error.isError(error) ? error.message : String(error))
  }
}

function fillPage(door: string, page: string): void {
  const action: Action = parse(readFileSync(resolve(root, door), 'utf8'))
  const before = readFileSync(page, 'utf8')
  const after = fillSection(fillSection(before, 'inputs', inputTable(action)), 'outputs', outputTable(action))
  if (checksOnly && after !== before) {
    fail(`The tables in ${page} differ from ${door}. Run \`npm run docs\` and commit the result.`)
  } else if (after !== before) {
    writeFileSync(page, after)
  }
}

function inputTable({ inputs }: Action): string {
  // Which command a door is, nobody sets by hand.
  const shown = Object.entries(inputs).filter(([name]) => name !== 'command')
  const rows = shown.map(([name, input]) => row(`\`${name}\``, defaultOf(input), input.description))
  return [row('input', 'default', 'meaning'), row('---', '---', '---'), ...rows].join('\n')
}

function outputTable({ outputs }: Action): string {
  const rows = Object.entries(outputs).map(([name, { description }]) => row(`\`${name}\``, description))
  return [row('output', 'meaning'), row('---', '---'), ...rows].join('\n')
}

function defaultOf(input: Input): string {
  if (input.required) {
    return '**required**'
  }
  return input.default ? `\`${input.default}\`` : ''
}

/** In a cell a line break would end the table, and a bar the cell, even inside code. */
function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.trim().replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`
}

function fail(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
  process.exitCode = 1
}
