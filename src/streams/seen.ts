import { hash } from 'node:crypto'

/** How many tables there are. Each grows on its own, so that growing never needs twice the memory of the whole. */
const tableCount = 256
const maxLoad = 0.85
const growth = 1.3

/**
 * A set of strings that remembers each as 8 bytes of its SHA-256: at most 12.5 bytes a string, 125 MB for ten million.
 * `add` says whether the string was new. Two of ten million different strings are taken for one with a chance of 1 to 370,000.
 */
export function fingerprintSet(): { readonly add: (text: string) => boolean } {
  const tables = Array.from({ length: tableCount }, () => makeTable(16))
  return {
    add: (text) => {
      const sha256 = hash('sha256', text, 'buffer')
      const index = sha256[8] as number
      const high = sha256.readUInt32LE(0)
      // 0, 0 marks a free place
      const low = sha256.readUInt32LE(4) || 1
      let table = tables[index] as Table
      if (table.used >= table.slots * maxLoad) {
        table = grown(table)
        tables[index] = table
      }
      return insert(table, high, low)
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
