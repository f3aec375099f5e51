import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ValidationConfig } from '@actions/languageservice'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { parse } from 'yaml'

/**
 * Checks what GitHub would read: the action.yml files, the workflows in .github/workflows, and the workflows shown in the
 * Markdown pages, with the language service that GitHub's own editor extension uses. Our action's inputs are checked against
 * its action.yml wherever it is used. Actions of others must run on a Node that is still there, and workflows shown in pages must not share
 * a concurrency group. Other files (.yml or .md) can be named as arguments.
 */

const root = resolve(import.meta.dirname, '..')
const actionName = 'sanity-backup'

/** The first version of each action of others that runs on Node 24: GitHub's runners have no older Node any more. From their release notes. */
const firstOnNode24: Readonly<Record<string, number>> = {
  'actions/attest': 3,
  'actions/cache': 5,
  'actions/checkout': 5,
  'actions/download-artifact': 7,
  'actions/setup-node': 5,
  'actions/upload-artifact': 6,
  'aws-actions/configure-aws-credentials': 6,
  'google-github-actions/auth': 3,
  'google-github-actions/setup-gcloud': 3,
}

interface Problem {
  readonly file: string
  readonly line: number
  readonly message: string
}

// The language service imports JSON without the attribute that Node asks for.
registerHooks({
  load: (url, context, nextLoad) =>
    nextLoad(url, url.endsWith('.json') ? { ...context, importAttributes: { ...context.importAttributes, type: 'json' } } : context),
})
const { validate } = await import('@actions/languageservice')

const ourActions: ValidationConfig = {
  actionsMetadataProvider: {
    fetchActionMetadata: async ({ owner, name, path = '' }) => {
      if (name !== actionName) {
        return { name: `${owner}/${name}`, description: 'of others: its inputs are not checked' }
      }
      const file = join(root, path, 'action.yml')
      return existsSync(file) ? parse(readFileSync(file, 'utf8')) : undefined
    },
  },
  fileProvider: {
    getFileContent: async (reference) => {
      const name = 'path' in reference ? reference.path : ''
      return { name, content: readFileSync(join(root, name), 'utf8') }
    },
  },
}

const named = process.argv.slice(2).map((file) => resolve(file))
const files = named.length > 0 ? named : standardFiles()
const problems: Problem[] = []
for (const file of files) {
  const text = readFileSync(file, 'utf8')
  problems.push(...(file.endsWith('.md') ? await checkPage(file, text) : await checkYaml(file, text)))
}
for (const { file, line, message } of problems) {
  process.stderr.write(`${relative(process.cwd(), file)}:${line}: ${message}\n`)
}
process.stdout.write(`GitHub's language service: files checked ${files.length}, problems ${problems.length}\n`)
process.exitCode = problems.length > 0 ? 1 : 0

function standardFiles(): string[] {
  const workflows = join(root, '.github/workflows')
  const doors = ['action.yml', 'verify/action.yml', 'restore/action.yml']
  const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')).map((name) => `docs/${name}`) : []
  const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...docs.filter((name) => name.endsWith('.md'))]
  return [
    ...doors.map((name) => join(root, name)).filter(existsSync),
    ...readdirSync(workflows)
      .filter((name) => /\.ya?ml$/.test(name))
      .map((name) => join(workflows, name)),
    ...pages.map((name) => join(root, name)).filter(existsSync),
  ]
}

async function checkYaml(file: string, text: string): Promise<Problem[]> {
  return [...(await problemsOf(file, text, 0)), ...unpinned(file, text), ...onDeadNode(file, text)]
}

/** Every fenced yaml block: as YAML, and as a workflow if it is one, its jobs alone, or a list of steps; the parts that are missing are put around it. */
async function checkPage(file: string, text: string): Promise<Problem[]> {
  const found = [...onDeadNode(file, text), ...inOneGroup(file, text)]
  for (const match of text.matchAll(/^( *)```ya?ml\n([\s\S]*?)^\1```/gm)) {
    const indent = match[1] ?? ''
    const block = (match[2] ?? '').replaceAll(new RegExp(`^${indent}`, 'gm'), '')
    const linesBefore = text.slice(0, match.index).split('\n').length
    const { before, workflow } = asWorkflow(block)
    if (workflow !== undefined) {
      found.push(...(await problemsOf(file, workflow, linesBefore - before)))
    }
  }
  return found
}

function asWorkflow(block: string): { before: number; workflow: string | undefined } {
  if (/^jobs:/m.test(block)) {
    return /^["']?on["']?:/m.test(block) ? { before: 0, workflow: block } : { before: 1, workflow: `on: push\n${block}` }
  }
  if (/^steps:/m.test(block)) {
    return { before: 4, workflow: `on: push\njobs:\n  example:\n    runs-on: ubuntu-latest\n${indented(block, 4)}` }
  }
  if (/^- (?:\w[\w-]*: )?/.test(block.replace(/^(?:#.*\n|\n)*/, '')) && /^[- ] (?:uses|run): /m.test(block)) {
    return { before: 5, workflow: `on: push\njobs:\n  example:\n    runs-on: ubuntu-latest\n    steps:\n${indented(block, 6)}` }
  }
  return { before: 0, workflow: undefined }
}

function indented(text: string, spaces: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(spaces))
}

async function problemsOf(file: string, text: string, linesBefore: number): Promise<Problem[]> {
  // The service tells an action from a workflow by the file's name, remembers what it parsed under a name, and does not look up
  // an action named by its folder.
  const uri = pathToFileURL(file.endsWith('.md') ? `${file}.${linesBefore}.yml` : file).href
  const content = text.replaceAll(/(\buses: *)\.\/(\S*)/g, (_, key, path) => `${key}here/${actionName}/${path}@here`)
  const diagnostics = await validate(TextDocument.create(uri, 'yaml', 0, content), ourActions)
  return diagnostics.map(({ range, message }) => ({
    file,
    line: linesBefore + range.start.line + 1,
    message: typeof message === 'string' ? message : message.value,
  }))
}

/** Actions of others are used by the full SHA of a commit, with its version beside it. */
function unpinned(file: string, text: string): Problem[] {
  return text.split('\n').flatMap((content, index) => {
    const uses = /^\s*(?:- )?uses: *(\S+)/.exec(content)?.[1]
    const fine = uses === undefined || /^[.$]\//.test(uses) || /@[0-9a-f]{40} +# v\d/.test(content)
    return fine
      ? []
      : [{ file, line: index + 1, message: `${uses} is not pinned by the full SHA of a commit with its version as a comment` }]
  })
}

/** Also those in pages: people copy them. */
function onDeadNode(file: string, text: string): Problem[] {
  return text.split('\n').flatMap((content, index) => {
    const [, name = '', folder = '', pinned = '', version = ''] =
      /^\s*(?:- )?uses: *([\w.-]+\/[\w.-]+)(\/[\w./-]+)?@(\S+)(?:.*# v(\d+))?/.exec(content) ?? []
    if (name === '' || name.endsWith(`/${actionName}`)) return []
    const first = firstOnNode24[name]
    const major = Number(version || /^v(\d+)/.exec(pinned)?.[1])
    if (first !== undefined && major >= first) return []
    const cure =
      first === undefined
        ? 'look up which version is the first on Node 24, and add it to firstOnNode24 in .github/lint.ts'
        : `use v${first} or newer`
    return [
      { file, line: index + 1, message: `${name}${folder}@${pinned} may run on a Node that GitHub's runners no longer have: ${cure}` },
    ]
  })
}

/** Of the runs that wait in a group, of whatever workflow, GitHub cancels all but the newest: nights are lost without a word. `queue: max` lets them line up. */
function inOneGroup(file: string, text: string): Problem[] {
  const own = '$' + '{{ github.workflow }}'
  return [...text.matchAll(/^ +group: *(.*?)\s*\n\s*(queue: max)?/gm)].flatMap(([, group = '', queue], index, all) => {
    const line = text.slice(0, all[index]?.index).split('\n').length
    return group === own || queue
      ? []
      : [{ file, line, message: `the concurrency group ${group} is neither ${own} nor a queue (queue: max)` }]
  })
}
