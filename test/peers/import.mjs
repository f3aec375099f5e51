// Runs the real importer: node import.mjs '{"url","project","dataset","token","source"}', where source is an NDJSON file or a tar, gzipped or not. Like the
// `sanity` command of today it opens that as a file, and no folder.
import { createReadStream } from 'node:fs'
import { createClient } from '@sanity/client'
import { sanityImport } from '@sanity/import'

const { url, project, dataset, token, source, ...options } = JSON.parse(process.argv[2])
const client = createClient({
  projectId: project,
  dataset,
  token,
  apiHost: url,
  useProjectHostname: false,
  apiVersion: '2025-02-19',
  useCdn: false,
})
const result = await sanityImport(createReadStream(source), { client, ...options })
process.stdout.write(JSON.stringify(result))
