import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'
import { declaredInputs } from '../src/inputs/inputs.ts'
import { makeTempFolder, ROOT } from './support/process.ts'

type ActionYml = { readonly inputs: Readonly<Record<string, object>>; readonly outputs: Readonly<Record<string, object>> }

type IssueForm = {
  readonly name: string
  readonly description: string
  readonly body: readonly { type: string; id?: string; attributes: { label?: string }; validations?: { required: boolean } }[]
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const doors = {
  backup: parse(read('action.yml')) as ActionYml,
  verify: parse(read('verify/action.yml')) as ActionYml,
  restore: parse(read('restore/action.yml')) as ActionYml,
} as const
const { outputs } = doors.backup
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
]

describe('README.md', () => {
  it('has the tables of inputs and outputs that action.yml gives', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'docs/tables.ts'), '--check'], { encoding: 'utf8', cwd: ROOT })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

describe('the check of workflows in pages', () => {
  it.each([
    { name: 'an action on a dead Node', line: '  - uses: actions/cache@v4', says: 'use v5 or newer' },
    { name: 'a pinned one', line: `  - uses: actions/cache/save@${'a'.repeat(40)} # v4.2.0`, says: 'use v5 or newer' },
    { name: 'one that nobody looked up', line: '  - uses: acme/deploy@v9', says: 'add it to firstOnNode24' },
    {
      name: 'a group that two workflows could share',
      line: '  group: sanity-backup',
      says: 'the concurrency group sanity-backup is neither',
    },
  ])('names $name', async ({ line, says }) => {
    await using temp = await makeTempFolder('page')
    const page = join(temp.path, 'page.md')
    await writeFile(page, `# A page\n\n${line}\n`)
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, '.github/lint.ts'), page], { encoding: 'utf8', cwd: ROOT })
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(says) })
    expect(stderr).toContain('page.md:3: ')
  })
})

describe('the account that publishes the action', () => {
  it('is asked for in one place', () => {
    expect(pages.filter((page) => /`OWNER`/.test(read(page)) && page !== 'docs/releasing.md')).toEqual(['README.md'])
    expect(read('README.md').match(/`OWNER`/g)).toHaveLength(1)
  })

  it('is written into every page by one command, which takes that place out', async () => {
    await using temp = await makeTempFolder('owner')
    await cp(join(ROOT, 'README.md'), join(temp.path, 'README.md'))
    await cp(join(ROOT, 'docs'), join(temp.path, 'docs'), { recursive: true })
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'docs/owner.ts'), 'acme', temp.path], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const filled = readFileSync(join(temp.path, 'README.md'), 'utf8') + readFileSync(join(temp.path, 'docs/recipes.md'), 'utf8')
    expect(filled).not.toContain('OWNER')
    expect(filled).toContain('- uses: acme/sanity-backup@v1')
  })

  it.each(['', 'a/b', '-a', 'a b'])('is refused if it is none: %j', (account) => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'docs/owner.ts'), account], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'Name the account on GitHub: npm run owner -- <account>\n' })
  })
})

describe('the notes of a release', () => {
  it.each([
    { name: 'another version', tag: 'v0.0.1', says: 'The tag is "v0.0.1", and package.json says ' },
    { name: 'no tag', tag: '', says: 'The tag is "", and package.json says ' },
  ])('are refused for $name', ({ tag, says }) => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, '.github/release-notes.ts'), tag], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(says) })
  })

  it('are the section of the changelog, once it has a date', async () => {
    await using temp = await makeTempFolder('release')
    await cp(join(ROOT, '.github/release-notes.ts'), join(temp.path, '.github/release-notes.ts'))
    await writeFile(join(temp.path, 'package.json'), '{ "version": "1.2.0", "type": "module" }')
    const notes = async (heading: string) => {
      await writeFile(join(temp.path, 'CHANGELOG.md'), `# Changelog\n\n## ${heading}\n\n- New.\n\n## 1.1.0 - 2026-01-01\n\n- Old.\n`)
      return spawnSync(process.execPath, [join(temp.path, '.github/release-notes.ts'), 'v1.2.0'], { encoding: 'utf8' })
    }
    expect(await notes('1.2.0 - 2026-12-01')).toMatchObject({ status: 0, stdout: '- New.\n' })
    expect(await notes('1.2.0 - unreleased')).toMatchObject({ status: 1, stderr: expect.stringContaining('but "## 1.2.0 - unreleased"') })
    expect(await notes('1.3.0 - 2026-12-01')).toMatchObject({ status: 1, stderr: expect.stringContaining('no heading "## 1.2.0') })
  })
})

describe('the forms for issues', () => {
  const forms = readdirSync(join(ROOT, '.github/ISSUE_TEMPLATE')).filter((name) => name !== 'config.yml')

  it.each(forms)('ask for no token, and say so: %s', (form) => {
    const { name, description, body } = parse(read(`.github/ISSUE_TEMPLATE/${form}`)) as IssueForm
    expect([name, description].every((text) => text.length > 10)).toBe(true)
    expect(JSON.stringify(body)).toContain('Never post a token')
    expect(body.filter(({ type }) => type !== 'markdown').map(({ attributes }) => attributes.label)).not.toContainEqual(
      expect.stringMatching(/token|secret/i),
    )
  })

  it('ask for the error code of a failed run', () => {
    const { body } = parse(read('.github/ISSUE_TEMPLATE/failed-run.yml')) as IssueForm
    expect(body.find(({ id }) => id === 'error-code')?.validations).toEqual({ required: true })
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

  it('describes itself in the 125 characters that the Marketplace shows', () => {
    const { description } = parse(read('action.yml')) as { description: string }
    expect(description.length).toBeLessThanOrEqual(125)
    expect(description.length).toBeGreaterThan(60)
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
    const steps = [...text.matchAll(/uses: \S*sanity-backup(?:\/(verify|restore))?@?[^\n]*\n([\s\S]*?)(?=\n\s*- |\n```|\n\n)/g)]
    const unknown = steps.flatMap(([, door, step = '']) => {
      const { inputs } = doors[(door as 'verify' | 'restore' | undefined) ?? 'backup']
      return inputsIn(step).filter((name) => !(name in inputs))
    })
    expect(unknown).toEqual([])
  })

  it('names only outputs of its steps that exist', () => {
    const named = [...text.matchAll(/steps\.(?:backup|sanity)\.outputs\.([a-z-]+)/g)].map(([, name]) => name ?? '')
    expect(named.filter((name) => !(name in outputs))).toEqual([])
    const others = [...text.matchAll(/steps\.(verify|restore|plan|apply)\.outputs\.([a-z-]+)/g)]
    const unknown = others.filter(([, step, name = '']) => !(name in doors[step === 'verify' ? 'verify' : 'restore'].outputs))
    expect(unknown.map(([whole]) => whole)).toEqual([])
  })

  it('shows YAML, JSON and shell that can be read', () => {
    const blocks = [...text.matchAll(/^( *)```(ya?ml|json|sh)\n([\s\S]*?)^\1```/gm)]
    const broken = blocks.flatMap(([, indent = '', language = '', body = '']) => {
      const complaint = complaintAbout(language, body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
      return complaint === undefined ? [] : [`${complaint}: ${body}`]
    })
    expect(broken).toEqual([])
  })

  it('names only npm scripts and programs of this repository that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...text.matchAll(/npm run (?:-s )?([a-z0-9-]+)/g)].map(([, name]) => name ?? '')
    const programs = [...text.matchAll(/node ((?:docs|demo|bench|\.github)\/[\w./-]+)/g)].map(([, path]) => path ?? '')
    expect(named.filter((name) => !(name in scripts))).toEqual([])
    expect(programs.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
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

/** What the parser of a language says against a text. */
function complaintAbout(language: string, body: string): string | undefined {
  if (language === 'sh') {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: body, encoding: 'utf8' })
    return status === 0 ? undefined : stderr
  }
  // JSON is YAML, but not the other way round.
  if (language === 'json') return complaintOf(() => JSON.parse(body))
  return parseAllDocuments(body).find(({ errors }) => errors.length > 0)?.errors[0]?.message
}

function complaintOf(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return String(error)
  }
}

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
