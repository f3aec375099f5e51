import { answers, datasetNotFound, errorLines, rateLimited } from '../doubles/sanity/answers.ts'
import type { Sanity } from '../doubles/sanity/sanity.ts'
import { fullDisk, honeypot, proxyThatRefuses, untrusted } from './places.ts'
import { type Row, sixtyDocuments } from './row.ts'

type Fault = Parameters<Sanity['fault']>[1]
type Stream = NonNullable<Fault['stream']>

/** Every fault of the table in docs/reliability.md, some in several forms. Slow ones first: they run beside all the others. */
export const rows: readonly Row[] = [...slowRows(), ...connectionRows(), ...answerRows(), ...lineRows(), ...pageRows(), ...machineRows()]

function onExport(fault: Fault): (sanity: Sanity) => void {
  return (sanity) => sanity.fault('export', fault)
}

function onStream(stream: Stream, turns: Pick<Fault, 'times' | 'skip' | 'when'> = {}): (sanity: Sanity) => void {
  return onExport({ stream, ...turns })
}

/** A page of the cursor mode that is not the first. */
function laterPage({ query }: { readonly query: Readonly<Record<string, string>> }): boolean {
  return (query['nextCursor'] ?? '') !== ''
}

function slowRows(): Row[] {
  const once = { times: 1 }
  return [
    {
      id: 'F06',
      name: 'no byte comes any more, each time',
      arrange: onStream({ ending: { how: 'stall', afterLines: 30 } }),
      ours: 'sanity-unavailable',
      limit: { ours: 900, exporter: 240 },
    },
    {
      id: 'F06',
      name: 'no byte comes any more, once',
      arrange: onStream({ ending: { how: 'stall', afterLines: 30 } }, once),
      ours: 'whole',
      limit: { ours: 240, exporter: 240 },
    },
    {
      id: 'F07',
      name: 'a drip: one byte a second',
      arrange: onStream({ chunkBytes: 1, chunkDelayMs: 1000 }),
      ours: 'sanity-unavailable',
      limit: { ours: 360, exporter: 120 },
    },
    {
      id: 'F07',
      name: 'a silent minute in the middle of a healthy stream',
      arrange: onStream({ chunkBytes: 10_000, chunkDelayMs: 61_000 }),
      ours: 'whole',
      limit: { ours: 240, exporter: 240 },
    },
  ]
}

function connectionRows(): Row[] {
  const once = { times: 1 }
  return [
    {
      id: 'F01',
      name: 'the connection is reset in the middle, once',
      arrange: onStream({ ending: { how: 'reset', afterLines: 30 } }, once),
      ours: 'whole',
    },
    {
      id: 'F01',
      name: 'the connection is reset in the middle, each time',
      arrange: onStream({ ending: { how: 'reset', afterLines: 30 } }),
      ours: 'export-truncated',
    },
    {
      id: 'F02',
      name: 'the stream ends early at a line end (connection closed)',
      arrange: onStream({ framing: 'close', ending: { how: 'clean', afterLines: 30 } }),
      ours: 'export-truncated',
    },
    {
      id: 'F02',
      name: 'the stream ends early at a line end (chunked, with its final chunk)',
      arrange: onStream({ ending: { how: 'clean', afterLines: 30 } }),
      ours: 'export-truncated',
    },
    {
      id: 'F02',
      name: 'the stream ends early at a line end, once',
      arrange: onStream({ ending: { how: 'clean', afterLines: 30 } }, once),
      ours: 'whole',
    },
    {
      id: 'F02',
      name: 'the stream ends one document early',
      arrange: onStream({ ending: { how: 'clean', afterLines: 59 } }),
      ours: 'export-truncated',
    },
    { id: 'F02', name: '200 with an empty body', arrange: onExport({ answer: answers.empty }), ours: 'export-truncated' },
    {
      id: 'F03',
      name: 'the stream ends politely in the middle of a line',
      arrange: onStream({ ending: { how: 'clean', afterBytes: 5_000 } }),
      ours: 'export-truncated',
    },
    {
      id: 'F04',
      name: 'chunked without the final chunk',
      arrange: onStream({ ending: { how: 'cut', afterLines: 30 } }),
      ours: 'export-truncated',
    },
    {
      id: 'F04',
      name: 'shorter than its Content-Length',
      arrange: onStream({ framing: 'content-length', ending: { how: 'cut', afterLines: 30 } }),
      ours: 'export-truncated',
    },
    {
      id: 'F05',
      name: 'gzip that was not asked for, cut inside good framing',
      arrange: onStream({ gzip: true, ending: { how: 'clean', afterBytes: 400 } }),
      ours: 'sanity-unavailable',
    },
    { id: 'F06', name: 'no answer for two seconds', arrange: onStream({ headersDelayMs: 2_000, firstByteDelayMs: 2_000 }), ours: 'whole' },
    { id: 'F17', name: 'nobody listens there', url: 'http://127.0.0.1:9', ours: 'sanity-unavailable', limit: { ours: 30 } },
    {
      id: 'F17',
      name: 'the name is not known (DNS)',
      url: 'https://nowhere.invalid',
      ours: 'sanity-unavailable',
      limit: { ours: 60 },
    },
    { id: 'F18', name: 'a certificate that nobody trusts (TLS)', place: untrusted, ours: 'sanity-unavailable', limit: { ours: 5 } },
    {
      id: 'F18',
      name: 'NODE_TLS_REJECT_UNAUTHORIZED=0 and a certificate that nobody trusts',
      place: untrusted,
      env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      ours: 'input-invalid',
      limit: { ours: 5 },
    },
    {
      id: 'F36',
      name: 'the proxy asks for a password (407)',
      url: 'https://nowhere.invalid',
      place: proxyThatRefuses(407),
      ours: 'sanity-unavailable',
      limit: { ours: 60 },
    },
    {
      id: 'F36',
      name: 'the proxy refuses the host (403)',
      url: 'https://nowhere.invalid',
      place: proxyThatRefuses(403),
      ours: 'sanity-unavailable',
      limit: { ours: 60 },
    },
  ]
}

function answerRows(): Row[] {
  const html = { 'content-type': 'text/html' }
  const soon = { ours: 5 }
  return [
    {
      id: 'F11',
      name: '401, token unknown',
      arrange: onExport({ answer: answers.sessionNotFound }),
      ours: 'sanity-unauthorized',
      limit: soon,
    },
    { id: 'F11', name: '401 with an empty body', arrange: onExport({ answer: { status: 401 } }), ours: 'sanity-unauthorized', limit: soon },
    {
      id: 'F12',
      name: '403 Robots are not allowed',
      arrange: onExport({ answer: answers.robotsNotAllowed }),
      ours: 'sanity-forbidden',
      limit: soon,
    },
    { id: 'F12', name: '403 with an empty body', arrange: onExport({ answer: { status: 403 } }), ours: 'sanity-forbidden', limit: soon },
    {
      id: 'F13',
      name: '404, no such dataset',
      arrange: onExport({ answer: datasetNotFound('abc12345', 'production') }),
      ours: 'sanity-not-found',
      limit: soon,
    },
    {
      id: 'F13',
      name: '404 with an HTML body',
      arrange: onExport({ answer: { status: 404, headers: html, body: '<html><h1>Not Found</h1></html>' } }),
      ours: 'sanity-not-found',
      limit: soon,
    },
    { id: 'F13', name: '402, plan limit', arrange: onExport({ answer: answers.planLimit }), ours: 'sanity-quota', limit: soon },
    { id: 'F14', name: '429 with Retry-After, once', arrange: onExport({ answer: rateLimited(1), times: 1 }), ours: 'whole' },
    { id: 'F14', name: '429 with Retry-After, each time', arrange: onExport({ answer: rateLimited(1) }), ours: 'sanity-rate-limited' },
    {
      id: 'F14',
      name: '429 with an empty body, each time',
      arrange: onExport({ answer: { status: 429, headers: { 'retry-after': '1' } } }),
      ours: 'sanity-rate-limited',
    },
    { id: 'F15', name: '500, each time', arrange: onExport({ answer: answers.internalError }), ours: 'sanity-unavailable' },
    { id: 'F15', name: '502 with an HTML body, each time', arrange: onExport({ answer: answers.badGateway }), ours: 'sanity-unavailable' },
    {
      id: 'F15',
      name: '503 with an empty body, each time',
      arrange: onExport({ answer: answers.unavailable }),
      ours: 'sanity-unavailable',
    },
    { id: 'F15', name: '503 with an empty body, once', arrange: onExport({ answer: answers.unavailable, times: 1 }), ours: 'whole' },
    { id: 'F16', name: '204', arrange: onExport({ answer: answers.noContent }), ours: 'sanity-unavailable', limit: soon },
    {
      id: 'F16',
      name: '206 with half of the documents',
      arrange: onStream({ status: 206, ending: { how: 'clean', afterLines: 30 } }),
      ours: 'sanity-unavailable',
      limit: soon,
    },
    { id: 'F19', name: '302 to another host', place: honeypot, ours: 'sanity-unavailable', limit: soon },
    {
      id: 'F35',
      name: 'the token in the body of a 403',
      arrange: (sanity) =>
        sanity.fault('export', {
          answer: { status: 403, body: { statusCode: 403, error: 'Forbidden', message: `Bearer ${sanity.token} is blocked` } },
        }),
      ours: 'sanity-forbidden',
      limit: soon,
    },
    {
      id: 'F35',
      name: 'the token in an error inside the stream, with workflow commands',
      arrange: (sanity) =>
        sanity.fault('export', {
          stream: { last: [JSON.stringify({ error: { description: `\n::set-output name=x::y\n##[error]${sanity.token}` } })] },
        }),
      ours: 'export-rejected',
    },
  ]
}

function lineRows(): Row[] {
  const line = (text: string | Buffer) => onStream({ insert: { afterLines: 30, lines: [text] } })
  const withOne = (text: string | Buffer): NonNullable<Row['dataset']> => ({
    lines: [...sixtyDocuments.map((each) => JSON.stringify(each)), text],
  })
  const long = (bytes: number) => withOne(`{"_id":"long","_type":"post","body":"${'y'.repeat(bytes)}"}`)
  return [
    {
      id: 'F08',
      name: 'an error as the last line, with a status',
      arrange: onStream({ last: [errorLines.withStatus] }),
      ours: 'export-rejected',
    },
    {
      id: 'F08',
      name: 'an error as the last line, without a status',
      arrange: onStream({ last: [errorLines.withoutStatus] }),
      ours: 'export-rejected',
    },
    { id: 'F08', name: 'an error as the last line, as text', arrange: onStream({ last: [errorLines.asText] }), ours: 'export-rejected' },
    {
      id: 'F09',
      name: 'an error glued to half a document',
      arrange: onStream({ glue: { line: 30, text: errorLines.withType } }),
      ours: 'export-rejected',
    },
    {
      id: 'F09',
      name: 'an error with its status first, glued to half a document',
      arrange: onStream({ glue: { line: 30, text: errorLines.withStatus } }),
      ours: 'export-rejected',
    },
    { id: 'F10', name: 'a line {}', arrange: line('{}'), ours: 'export-invalid' },
    { id: 'F10', name: 'a line {"message":…}', arrange: line(errorLines.messageOnly), ours: 'export-invalid' },
    { id: 'F10', name: 'a line null', arrange: line('null'), ours: 'export-invalid' },
    { id: 'F10', name: 'a line that is a number', arrange: line('42'), ours: 'export-invalid' },
    { id: 'F10', name: 'a document without _type', arrange: line('{"_id":"untyped"}'), ours: 'export-invalid' },
    {
      id: 'F20',
      name: 'a document of 32 MB',
      dataset: long(32_000_000),
      ours: 'whole',
      limit: { ours: 20, exporter: 120 },
      peakRssBytes: 400e6,
    },
    { id: 'F20', name: 'a document of 100 MB', dataset: long(100_000_000), ours: 'whole', limit: { ours: 60, exporter: 120 } },
    { id: 'F20', name: 'a line of 200 MB', dataset: long(200_000_000), ours: 'export-invalid', limit: { ours: 20, exporter: 120 } },
    {
      id: 'F21',
      name: 'invalid UTF-8',
      dataset: withOne(Buffer.concat([Buffer.from('{"_id":"bad","_type":"post","t":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])),
      ours: 'export-invalid',
    },
    {
      id: 'F22',
      name: 'the replacement character in a document',
      dataset: withOne('{"_id":"damaged","_type":"post","t":"\ufffd"}'),
      ours: 'whole',
      says: /allow-replacement-characters/,
    },
    { id: 'F23', name: 'a byte order mark at the start', arrange: onStream({ bom: true }), ours: 'whole' },
    { id: 'F24', name: 'CRLF at each line end', arrange: onStream({ lineEnd: '\r\n' }), ours: 'whole' },
    { id: 'F24', name: 'blank lines', arrange: onStream({ insert: { afterLines: 30, lines: ['', ''] } }), ours: 'whole' },
    { id: 'F24', name: 'no line end at the end', arrange: onStream({ finalNewline: false }), ours: 'whole' },
    { id: 'F24', name: 'in pieces of 7 bytes, inside of characters', arrange: onStream({ chunkBytes: 7 }), ours: 'whole' },
    { id: 'F25', name: 'a document that comes twice', arrange: line(JSON.stringify(sixtyDocuments[3])), ours: 'export-invalid' },
    {
      id: 'F26',
      name: 'numbers beyond a double',
      dataset: withOne('{"_id":"n","_type":"post","n":12345678901234567890,"m":-0,"d":1.0}'),
      ours: 'whole',
    },
    { id: 'F26', name: '1e400', dataset: withOne('{"_id":"n","_type":"post","n":1e400}'), ours: 'whole' },
    {
      id: 'F26',
      name: 'keys that come twice, and __proto__',
      dataset: withOne('{"_id":"k","_type":"post","a":1,"a":2,"__proto__":{"b":1}}'),
      ours: 'whole',
    },
    { id: 'F26', name: 'a lone surrogate', dataset: withOne('{"_id":"s","_type":"post","t":"\\ud800"}'), ours: 'whole' },
    {
      id: 'F26',
      name: 'a document with a field error',
      dataset: withOne('{"_id":"e","_type":"post","error":{"description":"x"}}'),
      ours: 'whole',
    },
    { id: 'F27', name: 'an empty dataset', dataset: { documents: [] }, ours: 'too-few-documents' },
    {
      id: 'F28',
      name: 'the token’s role shows only some of the documents',
      dataset: { tokens: { skPARTIALabcdefghijklmnopqrstuvwxyz0123456789: { role: 'viewer', filter: '_id < "post-30"' } } },
      token: 'skPARTIALabcdefghijklmnopqrstuvwxyz0123456789',
      ours: 'whole',
      says: /Viewer role/,
      whole: (lines) => lines.slice(0, 30),
    },
    {
      id: 'F29',
      name: 'documents come and go meanwhile',
      arrange: (sanity) => sanity.fault('query', { results: [58, 62] }),
      ours: 'whole',
    },
  ]
}

function pageRows(): Row[] {
  const pages = { mode: 'cursor', dataset: { documents: sixtyDocuments, pageDocuments: 20 } } as const
  const onPage = (fault: Fault) => onExport({ when: laterPage, ...fault })
  const twice = [...sixtyDocuments.slice(0, 25), { ...sixtyDocuments[3], title: 'changed meanwhile' }, ...sixtyDocuments.slice(25)]
  const same = (lines: readonly Buffer[]) => lines.filter((_, index) => index !== 3)
  return [
    { ...pages, id: 'F30', name: 'pages as they should be', ours: 'whole' },
    {
      ...pages,
      id: 'F30',
      name: 'pages in pieces of 7 bytes: each cursor line is split',
      arrange: onStream({ chunkBytes: 7 }),
      ours: 'whole',
    },
    {
      ...pages,
      id: 'F30',
      name: 'a page that answers an empty 503, each time',
      arrange: onPage({ answer: answers.unavailable }),
      ours: 'sanity-unavailable',
    },
    {
      ...pages,
      id: 'F30',
      name: 'a page that answers an empty 503, once',
      arrange: onPage({ answer: answers.unavailable, times: 1 }),
      ours: 'whole',
    },
    {
      ...pages,
      id: 'F30',
      name: 'a page that is reset before its first byte, once',
      arrange: onPage({ connection: 'reset', times: 1 }),
      ours: 'whole',
    },
    {
      ...pages,
      id: 'F30',
      name: 'a page that is cut in the middle, each time',
      arrange: onPage({ stream: { ending: { how: 'cut', afterLines: 5 } } }),
      ours: 'export-truncated',
    },
    {
      ...pages,
      id: 'F30',
      name: 'a page that ends early without a cursor',
      arrange: onPage({ stream: { ending: { how: 'clean', afterLines: 5 } } }),
      ours: 'export-truncated',
    },
    {
      ...pages,
      id: 'F30',
      name: 'a cursor that comes back for ever',
      arrange: onPage({ answer: { status: 200, body: Buffer.from('{"nextCursor":"again"}\n') } }),
      ours: 'export-invalid',
    },
    {
      ...pages,
      id: 'F30',
      name: 'an empty cursor at the end',
      arrange: onStream({ last: ['{"nextCursor":""}'] }, { when: laterPage, skip: 1 }),
      ours: 'export-invalid',
    },
    {
      ...pages,
      id: 'F30',
      name: 'a document that changes and comes on two pages',
      dataset: { lines: twice.map((each) => JSON.stringify(each)), pageDocuments: 20 },
      arrange: (sanity) => sanity.fault('query', { results: [60] }),
      ours: 'whole',
      whole: same,
    },
  ]
}

function machineRows(): Row[] {
  const stalled = onStream({ ending: { how: 'stall', afterLines: 30 } })
  const noise = { documents: sixtyDocuments.map((each, index) => ({ ...each, body: noiseOf(index, 3_000) })) }
  return [
    { id: 'F31', name: 'the disk is full', dataset: noise, place: fullDisk(64 * 1024), ours: 'disk-full' },
    {
      id: 'F31',
      name: 'no room for the file of the outputs',
      place: fullDisk(64 * 1024, { outputs: true }),
      ours: 'disk-full',
      says: /The disk is full/,
    },
    {
      id: 'F32',
      name: 'SIGTERM in the middle',
      arrange: stalled,
      signal: { name: 'SIGTERM', afterMs: 500 },
      ours: 'cancelled',
      limit: { ours: 8 },
    },
    {
      id: 'F32',
      name: 'SIGINT in the middle',
      arrange: stalled,
      signal: { name: 'SIGINT', afterMs: 500 },
      ours: 'cancelled',
      limit: { ours: 8 },
    },
    { id: 'F33', name: 'kill -9 in the middle', arrange: stalled, signal: { name: 'SIGKILL', afterMs: 500 }, ours: 'cancelled' },
    {
      id: 'F34',
      name: 'the clock is an hour off',
      arrange: onStream({ headers: { date: new Date(Date.now() - 3_600_000).toUTCString() } }),
      ours: 'whole',
      says: /clock of this runner/,
    },
  ]
}

/** Text that no compression makes much smaller, the same each time. */
function noiseOf(seed: number, length: number): string {
  let state = seed + 1
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return String.fromCharCode(33 + ((state >>> 16) % 90))
  })
    .join('')
    .replaceAll(/["\\]/g, '-')
}
