import { describe, expect, it } from '@jest/globals'
import type { BackupOutcome } from '../../../src/commands/backup/outcome.ts'
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

function render(change: Partial<BackupOutcome>, at: Partial<typeof context> = {}): string {
  return restoreLines({ ...outcome, ...change }, { ...context, ...at })
}
