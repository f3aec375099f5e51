import { code } from './quick-scan-code.ts'
import type { Scanned } from './scan.ts'

/**
 * Does what `scanDocument` does (scan.ts), for lines without oddities, in a third to half of the time: quick-scan.wat says how.
 *
 * Undefined for everything else, be it a document or none: what is longer than its memory (a good mebibyte) or nested deeper than 512, and where a
 * key of the document itself, or the text of its `_id` or `_type`, holds an escape.
 */
export function quickScan(line: Buffer): Scanned | undefined {
  scanner ??= startScanner()
  const { memory, scan } = scanner
  if (line.length > memory.length - lineAt - stepBytes) return undefined
  line.copy(memory, lineAt)
  if (scan(line.length) === 0) return undefined
  return { id: textAt(memory, 0), type: textAt(memory, 8) }
}

/** Where quick-scan.wat expects the line. Before it lie the places that it has found. */
const lineAt = 64
/** It looks at so many bytes at once, and may do so up to the zero behind the line. */
const stepBytes = 16

function textAt(memory: Buffer, place: number): string {
  return memory.toString('utf8', memory.readUInt32LE(place), memory.readUInt32LE(place + 4))
}

type Scanner = { readonly memory: Buffer; readonly scan: (length: number) => number }

let scanner: Scanner | undefined

/** On a processor that knows no such steps it has no memory: then each line is left to `scanDocument`. */
function startScanner(): Scanner {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyUsed }
  const bytes = Buffer.from(code, 'base64')
  if (!WebAssembly.validate(bytes)) return { memory: Buffer.alloc(0), scan: () => 0 }
  const { memory, scan } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports
  return { memory: Buffer.from(memory.buffer), scan }
}

/** The part of it that is used here. Node has it, and its types do not. */
type WebAssemblyUsed = {
  readonly validate: (bytes: Buffer) => boolean
  readonly Module: new (bytes: Buffer) => object
  readonly Instance: new (
    module: object,
  ) => { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; readonly scan: Scanner['scan'] } }
}
