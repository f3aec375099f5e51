import { describe, expect, it } from '@jest/globals'
import { startGit } from '../../../doubles/git/git.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, sumSha256, threeDocuments, threeLines } from '../../support.ts'
import { branch, commits, folder, github, manifestOn, message, startWorld } from './support.ts'

describe('the first night', () => {
  it('makes an orphan branch with a file for each document, a manifest and a README', async () => {
    await using world = await startWorld()
    const { git } = world
    const main = git.run('rev-parse', 'main')
    const run = await world.night(threeDocuments)

    const files = git.files(branch)
    expect(Object.keys(files)).toEqual([
      'README.md',
      `${folder}/.gitattributes`,
      `${folder}/documents/author/2e/c.json`,
      `${folder}/documents/post/3e/b.json`,
      `${folder}/documents/post/ca/a.json`,
      `${folder}/manifest.json`,
    ])
    expect(files[`${folder}/documents/author/2e/c.json`]).toBe('{\n  "_id": "c",\n  "_type": "author",\n  "name": "Third"\n}\n')
    expect(manifestOn(git)).toMatchObject({
      branch: { layout: 'text', depth: 1 },
      files: [],
      documents: { count: 3, contentDigest: sumSha256(threeLines) },
    })
    expect(Object.keys(manifestOn(git)).slice(-3)).toEqual(['recent', 'branch', 'files'])
    expect(run.exitCode).toBe(0)
    expect(run.outputs).toMatchObject({
      status: 'stored',
      branch,
      'commit-sha': git.run('rev-parse', branch),
      snapshot: manifestOn(git).snapshot,
      digest: '',
      path: '',
      manifest: '',
      'document-count': '3',
    })
    expect(Number(run.outputs['size-bytes'])).toBe(
      Object.entries(files).reduce((sum, [path, text]) => sum + (path === 'README.md' ? 0 : Buffer.byteLength(text)), 0),
    )
    expect(commits(git)).toHaveLength(1)
    expect(git.run('log', '-1', '--format=%an <%ae>, %cn <%ce>, %P', branch)).toBe(
      'github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>, github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>,',
    )
    expect(message(git)).toBe(
      [
        'Back up abc12345/production: 3 documents',
        '',
        'Documents: 3 created',
        '- author: 1 created',
        '- post: 2 created',
        '',
        `Snapshot: ${manifestOn(git).snapshot}`,
        `Taken at: ${manifestOn(git).takenAt}`,
        `Read back whole: ${folder}`,
      ].join('\n'),
    )
    expect(git.run('rev-parse', 'main')).toBe(main)
    expect(run.summary).toMatch(/\*\*Stored:\*\* branch sanity-backups of acme\/site, commit .*[0-9a-f]{10}/)
    git.run('fsck', '--strict')
  })

  it('keeps each document byte for byte, whatever its names and its white space', async () => {
    await using git = await startGit()
    const lines = [
      '{"_id":"drafts.a","_type":"post","n":12345678901234567890,"a":1,"a":2,"e":"\\u00e9\\/"}',
      '{ "_id":"spaced","_type":"post" }',
      '{"_id":"a/b c","_type":".git","x":[]}',
      '{"_id":"..","_type":"a%2Fb"}',
    ]
    await using sanity = await startSanity({ lines })
    await using run = await backUp({ sanity, github, git })
    const texts = Object.entries(git.files(branch)).filter(([path]) => path.includes('/documents/'))
    expect({ code: run.code, lines: texts.map(([, text]) => text) }).toEqual({
      code: undefined,
      lines: expect.arrayContaining(['{ "_id":"spaced","_type":"post" }\n', '{\n  "_id": "..",\n  "_type": "a%2Fb"\n}\n']),
    })
    expect(texts.map(([path]) => path.replace(/\/[0-9a-f]{2}\//, '/hh/'))).toEqual(
      [
        `${folder}/documents/%2Egit/hh/a%2Fb%20c.json`,
        `${folder}/documents/a%252Fb/hh/%2E..json`,
        `${folder}/documents/post/hh/spaced.json`,
        `${folder}/documents/post/hh/drafts.a.json`,
      ].toSorted(
        (a, b) => texts.findIndex(([path]) => path.endsWith(a.slice(-9))) - texts.findIndex(([path]) => path.endsWith(b.slice(-9))),
      ),
    )
  })
})
