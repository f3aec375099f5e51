import { createHash } from 'node:crypto'
import { stripTypeScriptTypes } from 'node:module'

// Types are erased in place, so lines and columns of a stack trace are those of the source.
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
  getCacheKey: (source) => createHash('sha256').update(process.version).update(source).digest('hex'),
}
