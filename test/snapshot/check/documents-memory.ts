import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { findingList } from '../../../src/format/findings/finding.ts'
import { documentsCheck } from '../../../src/snapshot/check/documents.ts'
import { exampleManifest } from '../../support/example.ts'

/** Run as a process of its own, where nothing else holds memory: shows a check as many documents as asked for, and prints what it kept, as JSON. */
const { count = 0 } = JSON.parse(process.argv[2] ?? '{}') as { count?: number }
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const findings = findingList()
const before = keptBytes()
const { add, end } = documentsCheck({ ...exampleManifest, documents: { ...exampleManifest.documents, count } }, findings)
for (let index = 0; index < count; index++) {
  // Each comes twice, and refers to what is not there.
  const id = `document-${index % (count / 2)}`
  add(Buffer.from(`{"_id":"${id}","_type":"post","to":{"_ref":"gone-${index}"}}`), { path: 'data.ndjson.gz', line: index + 1 })
}
const bytesEach = (keptBytes() - before) / count
await end(async () => undefined)
process.stdout.write(JSON.stringify({ bytesEach, findings: findings.result().length }))

function keptBytes(): number {
  collectGarbage()
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
