import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { idSet } from '../../src/streams/id-set.ts'

/** Run as a process of its own, where nothing else holds memory: adds as many strings as asked for, twice, and prints what that took, as JSON. */
const { count = 0, expected = 0 } = JSON.parse(process.argv[2] ?? '{}') as { count?: number; expected?: number }
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const before = arrayBufferBytes()
const { add } = idSet(expected)
const fresh = addAll()
const bytesEach = (arrayBufferBytes() - before) / count
process.stdout.write(JSON.stringify({ fresh, again: addAll(), bytesEach }))

/** How many were new. */
function addAll(): number {
  let added = 0
  for (let index = 0; index < count; index++) added += add(`drafts.document-${index}`) ? 1 : 0
  return added
}

/** What array buffers hold once all garbage is gone. */
function arrayBufferBytes(): number {
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}
