// Runs the real client: node client.mjs '{"url","project","dataset","token","calls":[["releases.create",{…}],…]}'; prints each result or error as JSON.
import { createClient } from '@sanity/client'

const { url, project, dataset, token, calls } = JSON.parse(process.argv[2])
const client = createClient({
  projectId: project,
  dataset,
  token,
  apiHost: url,
  useProjectHostname: false,
  apiVersion: '2025-02-19',
  useCdn: false,
  maxRetries: 0,
})
const results = []
for (const [path, ...args] of calls) {
  const names = path.split('.')
  const owner = names.slice(0, -1).reduce((object, name) => object[name], client)
  try {
    results.push({ result: (await owner[names.at(-1)](...args)) ?? null })
  } catch ({ statusCode, message, details }) {
    results.push({ statusCode, message, details })
  }
}
process.stdout.write(JSON.stringify(results))
