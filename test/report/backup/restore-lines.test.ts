import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import type { BackupOutcome } from '../../../src/commands/backup/outcome.ts'
import { declaredInputs } from '../../../src/inputs/inputs.ts'
import { restoreLines } from '../../../src/report/backup/restore-lines.ts'
import { artifact, context, dataFile, directory, outcome } from './example.ts'

describe('the lines that restore a snapshot', () => {
  it.each([
    { serverUrl: 'https://github.com/', repo: 'acme/site' },
    { serverUrl: 'https://acme.ghe.com', repo: 'acme.ghe.com/acme/site' },
  ])('name the host of the repository where that is not github.com: $serverUrl', ({ serverUrl, repo }) => {
    expect(render({ stored: [artifact] }, { serverUrl })).toContain(`gh run download 42 --repo ${repo} --name`)
  })

  it.each([
    {
      name: 'gzip, as an artifact',
      file: 'data.ndjson.gz',
      stored: [artifact],
      lines: [
        "gh run download 42 --repo acme/site --name 'sanity-abc12345-production' --dir snapshot",
        'npx sanity@latest dataset import snapshot/data.ndjson.gz --project-id abc12345 --dataset production --replace',
      ],
    },
    {
      name: 'zstd, as an artifact and a directory',
      file: 'data.ndjson.zst',
      stored: [artifact, directory],
      lines: [
        "gh run download 42 --repo acme/site --name 'sanity-abc12345-production' --dir snapshot",
        'zstd -d snapshot/data.ndjson.zst',
        'npx sanity@latest dataset import snapshot/data.ndjson --project-id abc12345 --dataset production --replace',
      ],
    },
    {
      name: 'gzip, as a directory',
      file: 'data.ndjson.gz',
      stored: [directory],
      lines: [
        'npx sanity@latest dataset import ./abc12345-production-20261122T081500Z/data.ndjson.gz --project-id abc12345 --dataset production --replace',
      ],
    },
    {
      name: 'zstd, as a directory',
      file: 'data.ndjson.zst',
      stored: [directory],
      lines: [
        'zstd -d ./abc12345-production-20261122T081500Z/data.ndjson.zst',
        'npx sanity@latest dataset import ./abc12345-production-20261122T081500Z/data.ndjson --project-id abc12345 --dataset production --replace',
      ],
    },
  ])('are right for $name', ({ file, stored, lines }) => {
    const text = render({
      stored,
      documents: {
        ...outcome.documents,
        data: { file: { ...dataFile, path: file }, contentDigest: outcome.manifest.documents.contentDigest },
      },
    })
    expect(/```sh\n([\s\S]*?)\n```/.exec(text)?.[1]?.split('\n')).toEqual(lines)
  })

  it('quote an artifact’s name for the shell', () => {
    expect(render({ stored: [{ ...artifact, name: "it's $(mine)" }] })).toContain("--name 'it'\\''s $(mine)' --dir")
  })
})

describe('the step that restores a snapshot', () => {
  const branch = {
    kind: 'branch',
    unchanged: false,
    repository: 'acme/site',
    branch: 'sanity-backups',
    commit: '1234567890123456789012345678901234567e89',
    manifest: outcome.manifest,
    sizeBytes: 1300,
    digest: undefined,
    byType: undefined,
  } as const
  const common = { 'project-id': 'abc12345', dataset: 'production', token: '${{ secrets.SANITY_RESTORE_TOKEN }}' }
  const { manifest } = outcome

  it.each<{ name: string; change: Partial<BackupOutcome>; inputs: object }>([
    { name: 'an artifact', change: {}, inputs: { 'artifact-name': 'sanity-abc12345-production', 'run-id': '42' } },
    {
      name: 'a shard of an artifact, which is found with the others',
      change: {
        stored: [{ ...artifact, name: 'sanity-abc12345-production-shard-1-of-4-attempt-2' }],
        manifest: { ...manifest, shard: { index: 1, of: 4 } },
      },
      inputs: { 'artifact-name': 'sanity-abc12345-production', 'run-id': '42' },
    },
    {
      name: 'an artifact beside a branch',
      change: { stored: [artifact, branch] },
      inputs: { 'artifact-name': artifact.name, 'run-id': '42' },
    },
    { name: 'a branch', change: { stored: [branch] }, inputs: { branch: 'sanity-backups', commit: branch.commit } },
    {
      name: 'a branch of another repository',
      change: { stored: [{ ...branch, repository: 'acme/backups' }] },
      inputs: { repository: 'acme/backups', branch: 'sanity-backups', commit: branch.commit },
    },
    { name: 'a folder', change: { stored: [directory] }, inputs: { path: './abc12345-production-20261122T081500Z' } },
    {
      name: 'an encrypted artifact',
      change: { manifest: { ...manifest, encryption: { format: 'age/v1', recipients: ['age1x'] } } },
      inputs: { 'artifact-name': artifact.name, 'run-id': '42', identity: '${{ secrets.SANITY_BACKUP_IDENTITY }}' },
    },
    {
      name: 'an artifact with an odd name',
      change: { stored: [{ ...artifact, name: "it's: #mine" }] },
      inputs: { 'artifact-name': "it's: #mine", 'run-id': '42' },
    },
  ])('names where it is: $name', ({ change, inputs }) => {
    const steps = stepIn(render(change))
    expect(steps).toEqual([{ uses: 'acme/sanity-backup/restore@v1', with: { ...common, ...inputs } }])
    const declared = declaredInputs({ INPUT_COMMAND: 'restore' })
    expect(Object.keys(steps[0]?.with ?? {}).filter((name) => !declared.includes(name))).toEqual([])
  })

  it.each(['true', '2026', 'a'])('keeps a dataset called %s a text', (dataset) => {
    const [step] = stepIn(render({ manifest: { ...manifest, source: { ...manifest.source, dataset } } }))
    expect(step?.with).toMatchObject({ dataset })
  })

  it('comes before the lines of the Sanity CLI, and links to whole workflows', () => {
    const text = render({})
    expect(text.indexOf('- uses: ')).toBeLessThan(text.indexOf('npx sanity'))
    expect(text).toContain('[docs/recipes.md](https://github.com/acme/sanity-backup/blob/v1/docs/recipes.md#restore)')
  })

  it('writes once the comments at its end are taken away', () => {
    const text = render({}).replace(/^ {4}# (mode|confirm|mirror)/gm, '    $1')
    expect(stepIn(text)[0]?.with).toMatchObject({ mode: 'apply', confirm: 'production', mirror: true })
  })

  it('is left to shard 1 by the others', () => {
    expect(render({ documents: { ...outcome.documents, data: undefined } })).toMatch(/^Together with shard 1/)
  })
})

type Step = { readonly uses: string; readonly with: Readonly<Record<string, unknown>> }

function stepIn(text: string): readonly Step[] {
  return parse(/```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '') as readonly Step[]
}

function render(change: Partial<BackupOutcome>, at: Partial<typeof context> = {}): string {
  return restoreLines({ ...outcome, ...change }, { ...context, ...at })
}
