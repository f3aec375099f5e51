import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { declaredInputs } from '../src/inputs/inputs.ts'
import { ROOT } from './support/process.ts'

type ActionYml = { readonly inputs: Readonly<Record<string, object>>; readonly outputs: Readonly<Record<string, object>> }

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const doors = {
  backup: parse(read('action.yml')) as ActionYml,
  verify: parse(read('verify/action.yml')) as ActionYml,
} as const
const { outputs } = doors.backup
const pages = ['README.md', ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : []))]

describe('README.md', () => {
  it('has the tables of inputs and outputs that action.yml gives', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'docs/tables.ts'), '--check'], { encoding: 'utf8', cwd: ROOT })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

describe('docs/errors.md', () => {
  it('has one heading for each error code, in the order of src/errors.ts', () => {
    const union = /export type ErrorCode =([\s\S]*?)\n\n/.exec(read('src/errors.ts'))?.[1] ?? ''
    const codes = [...union.matchAll(/\| '([a-z-]+)'/g)].map(([, code]) => code)
    const headings = [...read('docs/errors.md').matchAll(/^## `?([a-z-]+)`?$/gm)].map(([, heading]) => heading)
    expect(codes.length).toBeGreaterThan(15)
    expect(headings.filter((heading) => heading !== undefined)).toEqual(codes)
  })

  it('has one heading only for each code that is used in src', () => {
    const headings = [...read('docs/errors.md').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
    expect(new Set(headings).size).toBe(headings.length)
  })
})

describe.each(Object.entries(doors))('the action.yml of %s', (command, { inputs, outputs }) => {
  it('declares every input that src reads, and no other, in the same order', () => {
    expect(declaredInputs({ INPUT_COMMAND: command })).toEqual(Object.keys(inputs))
  })

  it('gives every input and output a description', () => {
    const all = [...Object.entries(inputs), ...Object.entries(outputs)]
    const described = all.filter(([, value]) => 'description' in value && String(value.description).length > 10)
    expect(described).toHaveLength(all.length)
  })
})

describe.each(pages)('%s', (page) => {
  const text = read(page)

  it('uses the action with inputs that exist', () => {
    const steps = [...text.matchAll(/uses: \S*sanity-backup(\/verify)?@?[^\n]*\n([\s\S]*?)(?=\n\s*- |\n```|\n\n)/g)]
    const unknown = steps.flatMap(([, door, step = '']) => {
      const { inputs } = doors[door === undefined ? 'backup' : 'verify']
      return inputsIn(step).filter((name) => !(name in inputs))
    })
    expect(unknown).toEqual([])
  })

  it('names only outputs of its steps that exist', () => {
    const named = [...text.matchAll(/steps\.(?:backup|sanity)\.outputs\.([a-z-]+)/g)].map(([, name]) => name ?? '')
    expect(named.filter((name) => !(name in outputs))).toEqual([])
    const verified = [...text.matchAll(/steps\.verify\.outputs\.([a-z-]+)/g)].map(([, name]) => name ?? '')
    expect(verified.filter((name) => !(name in doors.verify.outputs))).toEqual([])
  })

  it('links to files and headings that exist', () => {
    const links = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]*))?\)/g)]
    const folder = page.includes('/') ? 'docs' : '.'
    const broken = links.filter(([, file = '', anchor]) => {
      const target = file === '' ? page : join(folder, file)
      return !existsSync(join(ROOT, target)) || (anchor !== undefined && !anchorsOf(read(target)).includes(anchor))
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })
})

/** The keys below `with:`, at its own depth only. */
function inputsIn(step: string): string[] {
  const [, indent = '', block = ''] = /^( *)with:[^\n]*\n((?:\1 +[^\n]*(?:\n|$)|\s*\n)*)/m.exec(step) ?? []
  const depth = /^ */.exec(block)?.[0] ?? indent
  return [...block.matchAll(new RegExp(`^${depth}([a-z-]+):`, 'gm'))].map(([, name]) => name ?? '')
}

/** Headings as GitHub links to them. */
function anchorsOf(text: string): string[] {
  return [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}
