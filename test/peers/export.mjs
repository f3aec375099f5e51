// Runs the real exporter: node export.mjs '{"url","project","dataset","token","mode","outputPath"}'; prints its result as JSON.
import { createClient } from '@sanity/client'
import { exportDataset } from '@sanity/export'

const { url, project, dataset, token, mode = 'stream', outputPath, ...options } = JSON.parse(process.argv[2])
const client = createClient({
  projectId: project,
  dataset,
  token,
  apiHost: url,
  useProjectHostname: false,
  apiVersion: '2025-02-19',
  useCdn: false,
})
const result = await exportDataset({ client, dataset, mode, outputPath, raw: true, assets: false, ...options })
process.stdout.write(JSON.stringify(result))
