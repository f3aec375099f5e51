// Runs the real importer: node import.mjs '{"url","project","dataset","token","source"}', where source is a folder or an NDJSON file, gzipped or not.
import { createReadStream, statSync } from 'node:fs'
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
const input = statSync(source).isDirectory() ? source : createReadStream(source)
const result = await sanityImport(input, { client, ...options })
process.stdout.write(JSON.stringify(result))
