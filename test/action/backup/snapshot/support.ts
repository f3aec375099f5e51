import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { type BackupRun, backUp, readSnapshot, type Snapshot } from '../../support.ts'

export const run = promisify(execFile)

/** Lines that change when somebody parses them and prints them again, or cuts them at a character that is no line feed. */
export const oddLines: readonly Buffer[] = [
  '{"_id":"big","_type":"odd","n":12345678901234567890123,"f":0.1000000000000000055511151231257827}',
  '{"_id":"huge","_type":"odd","n":1e400,"m":-1e400,"z":-0,"e":1E+2,"d":1.0,"t":1.50}',
  '{"_id":"twice","_type":"odd","a":1,"a":2,"_rev":"x","_rev":"y"}',
  '{"_id":"proto","_type":"odd","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  '{"_id":"lone","_type":"odd","high":"\\ud800","low":"\\udc00","swapped":"\\udc00\\ud800","pair":"\\ud83d\\ude00"}',
  '{"_id":"breaks","_type":"odd","raw":"\u2028\u2029\u0085","escaped":"\\u2028\\n\\r\\u0000"}',
  '{"_id":"replacement","_type":"odd","raw":"\ufffd","escaped":"\\ufffd"}',
  '{"_id":"emoji","_type":"odd","text":"👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 日本語 العربية \u202ertl\u202c"}',
  '{"_id":"bom","_type":"odd","text":"\ufeffinside"}',
  ' \t{ "_id" : "space" ,\t"_type":"odd" , "list" : [ 1 , 2 ] }  ',
  '{"z":1,"_type":"odd","a":{"c":1,"b":2},"_id":"order","10":1,"9":2}',
  '{"_id":"escapes","_type":"odd","a":"\\/\\u002f\\u0041","b":"\\"\\\\","\\u0061b":1}',
  '{"_id":"empty","_type":"odd","o":{},"a":[],"s":"","n":null}',
  '{"_id":"reserved","_type":"odd","error":{"description":"x"},"nextCursor":"x","statusCode":500}',
  `{"_id":"deep","_type":"odd","a":${'['.repeat(500)}${']'.repeat(500)}}`,
].map((line) => Buffer.from(line))

/** Makes a snapshot of lines; the folder is gone afterwards. */
export async function snapshotOf(
  lines: readonly Buffer[],
  {
    inputs = {},
    nodeArguments = [],
    chunkBytes,
  }: { inputs?: Readonly<Record<string, string>>; nodeArguments?: readonly string[]; chunkBytes?: number } = {},
  inspect: (snapshot: Snapshot, done: BackupRun) => Promise<void> = async () => undefined,
): Promise<Snapshot> {
  await using sanity = await startSanity({ lines })
  if (chunkBytes !== undefined) sanity.fault('export', { stream: { chunkBytes } })
  await using done = await backUp({ sanity }, { inputs, nodeArguments })
  const snapshot = await readSnapshot(done)
  await inspect(snapshot, done)
  return snapshot
}

/** Lines that do not compress, several blocks of the compressor's long. */
export const manyLines: readonly Buffer[] = Array.from({ length: 3_000 }, (_, index) =>
  Buffer.from(`{"_id":"document-${index}","_type":"bulk","noise":"${randomBytes(750).toString('base64')}"}`),
)
