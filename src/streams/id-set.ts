import { hash } from 'node:crypto'
import { wordAt } from './digest.ts'

/** How many tables there are. Each grows on its own, so that growing never needs twice the memory of the whole. */
const tableCount = 256
const maxLoad = 0.85
const growth = 1.3
/** Tables that are made for so many strings in all hold some more: they are never filled quite evenly. */
const reserve = 1.05
/** A number from outside may be anything; for more than this, tables grow as they are filled. */
const mostExpected = 20_000_000
const keyBytes = 9

/** What stands for a string here: the first nine bytes of its SHA-256, a character each. A buffer would take longer to make. */
export function keyOf(text: string): string {
  return hash('sha256', text, 'binary').slice(0, keyBytes)
}

/**
 * A set of strings that remembers each as 8 bytes of its SHA-256: at most 12.5 bytes a string, 125 MB for ten million. Made for as many strings as
 * are `expected`, it need not grow, which leaves holes in memory that nobody fills.
 * `add` and `addKey` (see {@link keyOf}) say whether the string was new. Two of ten million different strings are taken for one with a chance
 * of 1 to 370,000.
 */
export function idSet(expected = 0): { readonly add: (text: string) => boolean; readonly addKey: (key: string) => boolean } {
  const slots = Math.max(16, Math.ceil((Math.min(expected, mostExpected) * reserve) / tableCount / maxLoad))
  const tables = Array.from({ length: tableCount }, () => makeTable(slots))
  const addKey = (key: string): boolean => {
    const index = key.charCodeAt(8)
    const high = wordAt(key, 0)
    // 0, 0 marks a free place
    const low = wordAt(key, 4) || 1
    let table = tables[index] as Table
    if (table.used >= table.slots * maxLoad) {
      table = grown(table)
      tables[index] = table
    }
    return insert(table, high, low)
  }
  return { add: (text) => addKey(keyOf(text)), addKey }
}

const keysPerBlock = 8192

/** Remembers the keys of strings in their order, at nine bytes each. */
export function keyJournal(): { readonly add: (text: string) => void; readonly keys: () => Generator<string> } {
  const blocks: Buffer[] = []
  let count = 0
  return {
    add: (text) => {
      const place = count++ % keysPerBlock
      if (place === 0) blocks.push(Buffer.allocUnsafeSlow(keysPerBlock * keyBytes))
      ;(blocks[blocks.length - 1] as Buffer).write(keyOf(text), place * keyBytes, 'latin1')
    },
    keys: function* () {
      for (let i = 0; i < count; i++) {
        const start = (i % keysPerBlock) * keyBytes
        yield (blocks[Math.floor(i / keysPerBlock)] as Buffer).toString('latin1', start, start + keyBytes)
      }
    },
  }
}

type Table = { readonly slots: number; readonly words: Uint32Array; used: number }

function makeTable(slots: number): Table {
  return { slots, words: new Uint32Array(slots * 2), used: 0 }
}

function insert(table: Table, high: number, low: number): boolean {
  const { slots, words } = table
  for (let slot = Math.floor((high / 2 ** 32) * slots); ; slot = slot + 1 === slots ? 0 : slot + 1) {
    const there = words[slot * 2 + 1]
    if (there === 0) {
      words[slot * 2] = high
      words[slot * 2 + 1] = low
      table.used++
      return true
    }
    if (there === low && words[slot * 2] === high) return false
  }
}

function grown(table: Table): Table {
  const larger = makeTable(Math.ceil(table.slots * growth))
  for (let slot = 0; slot < table.slots; slot++) {
    const low = table.words[slot * 2 + 1] as number
    if (low !== 0) insert(larger, table.words[slot * 2] as number, low)
  }
  return larger
}
