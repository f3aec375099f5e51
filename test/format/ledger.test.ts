import { describe, expect, it } from '@jest/globals'
import { findLedgerEntry } from '../../src/format/ledger.ts'

describe('findLedgerEntry', () => {
  it.each(['', '{', 'null', '[]', '{"id":1}', '{"id":"a","path":"b","sizeBytes":1,"digest":"md5:x"}'])('takes no entry from %s', (line) => {
    expect(findLedgerEntry(Buffer.from(line))).toBeUndefined()
  })
})
