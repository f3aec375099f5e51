// Runs the real artifact client: node artifact.mjs '{"folder","name"}'; uploads the folder, twice, reads it back, deletes it. Prints what happened as JSON.
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DefaultArtifactClient } from '@actions/artifact'

const { folder, name } = JSON.parse(process.argv[2])
const client = new DefaultArtifactClient()
const files = (await readdir(folder)).map((file) => join(folder, file))
const uploaded = await client.uploadArtifact(name, files, folder, { compressionLevel: 0, retentionDays: 3 })
const again = await client.uploadArtifact(name, files, folder, { compressionLevel: 0 }).catch((error) => error.message)
const listed = await client.listArtifacts()
const path = await mkdtemp(join(tmpdir(), 'sanity-backup-peer-'))
const downloaded = await client.downloadArtifact(uploaded.id, { path, expectedHash: `sha256:${uploaded.digest}` })
const contents = {}
for (const file of await readdir(path)) contents[file] = (await readFile(join(path, file))).toString('base64')
const deleted = await client.deleteArtifact(name)
const after = await client.listArtifacts()
const result = { uploaded, again, listed, digestMismatch: downloaded.digestMismatch ?? false, contents, deleted, after }
await import('node:fs/promises').then(({ rm }) => rm(path, { recursive: true }))
process.stdout.write(`\nRESULT ${JSON.stringify(result)}\n`)
