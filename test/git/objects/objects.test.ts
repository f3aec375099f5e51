import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { type Git, gitIn } from '../../../src/git/command.ts'
import { importObjects } from '../../../src/git/objects/import.ts'
import { blobNameOf, bytesOf, entriesAt, fileMode, filesBelow, objectName, readObjects } from '../../../src/git/objects/objects.ts'
import { makeTree, parseTree } from '../../../src/git/objects/tree.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder, type TempFolder } from '../../support/process.ts'

let temp: TempFolder
let git: Git

beforeEach(async () => {
  temp = await makeTempFolder('objects')
  const environment = { PATH: '/usr/bin:/bin', GIT_DIR: temp.path, LC_ALL: 'C' }
  git = gitIn({ folder: temp.path, environment, signal: new AbortController().signal })
  await git.run(['init', '--quiet', '--bare', '.'])
})

afterEach(async () => await temp[Symbol.asyncDispose]())

const contents = { 'a.json': 'one', 'b/c "d"\\e.json': 'two', 'b/é.json': 'three' }

/** Writes the files as one commit, and returns its name. Paths are bytes, one a character. */
async function commitOf(files: Readonly<Record<string, string>>): Promise<string> {
  const entries = Object.entries(files).map(([path, text]) => ({ path: Buffer.from(path).toString('latin1'), content: Buffer.from(text) }))
  const changes = entries.map(({ path, content }) => ({ path, name: objectName('blob', content) }))
  const steps = async function* () {
    for (const { content } of entries) yield { kind: 'blob' as const, blob: { sizeBytes: content.length, chunks: [content] } }
    yield { kind: 'commit' as const, commit: { parent: undefined, message: 'x', time: new Date(0), changes } }
  }
  return (await importObjects(git, steps())) ?? ''
}

it('lists what was imported, whatever letters a path has, under the names that git gives', async () => {
  const commit = await commitOf(contents)
  const files = await Array.fromAsync(filesBelow(git, commit))
  expect(files.map(({ path, name, mode }) => [Buffer.from(path, 'latin1').toString(), name, mode])).toEqual(
    Object.entries(contents).map(([path, text]) => [path, objectName('blob', Buffer.from(text)), fileMode]),
  )
  expect(await entriesAt(git, commit, ['a.json', 'nowhere'])).toEqual([files[0]])
})

it('reads objects in the order of their names, also one that comes twice, more than are asked for at once', async () => {
  const texts = Array.from({ length: 200 }, (_, index) => `${index % 150} ${'x'.repeat(index)}`)
  await commitOf(Object.fromEntries(texts.map((text, index) => [`f${index}`, text])))
  const names = async function* () {
    for (const text of texts) yield objectName('blob', Buffer.from(text))
  }
  const read: string[] = []
  for await (const content of readObjects(git, names())) read.push(content.toString())
  expect(read).toEqual(texts)
})

it('says which object is missing', async () => {
  const names = async function* () {
    yield '0'.repeat(40)
  }
  expect(await rejection(Array.fromAsync(readObjects(git, names())))).toMatchObject({ message: expect.stringMatching(/0{40} missing/) })
})

it('takes a tree apart, and puts it together to the same', async () => {
  const commit = await commitOf(contents)
  const name = (await git.run(['rev-parse', `${commit}^{tree}`])).toString().trim()
  const content = await git.run(['cat-file', 'tree', name])
  expect(parseTree(content).map(({ mode, path }) => [mode, path])).toEqual([
    ['100644', 'a.json'],
    ['40000', 'b'],
  ])
  expect(makeTree(parseTree(content))).toEqual({ name, content })
})

it.each([
  { start: 0, end: 10 },
  { start: 3, end: 7 },
  { start: 4, end: 4 },
])('names a part of a file as git does: $start to $end', async ({ start, end }) => {
  const file = join(temp.path, 'file')
  await writeFile(file, '0123456789')
  const part = Buffer.concat(await Array.fromAsync(bytesOf(file, { start, end })))
  expect(part.toString()).toBe('0123456789'.slice(start, end))
  expect(await blobNameOf(file, { start, end })).toBe(objectName('blob', part))
})
