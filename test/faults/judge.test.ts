import { describe, expect, it } from '@jest/globals'
import { contentFault, type Ended, judgeExporter, judgeOurs } from './judge.ts'
import type { Row } from './row.ts'

const token = 'skJUDGEabcdefghijklmnopqrstuvwxyz0123456789'
const truth = ['{"_id":"a"}', '{"_id":"b"}'].map((line) => Buffer.from(line))
const good: Ended = {
  exitCode: 0,
  timedOut: false,
  seconds: 1,
  requests: 4,
  seen: 'Exported 2 documents',
  lines: truth,
  left: '',
  peakRssBytes: 100e6,
  findings: [],
}
const bad: Ended = { ...good, exitCode: 1, lines: undefined, code: 'export-truncated' }
const whole: Row = { id: 'F00', name: 'nothing', ours: 'whole' }
const cut: Row = { id: 'F02', name: 'cut', ours: 'export-truncated' }

describe('the judge of our runs', () => {
  it('is content with a whole snapshot where one is due, and with the right code where that is due', () => {
    expect(judgeOurs(whole, good, truth, token).wrong).toBe(false)
    expect(judgeOurs(cut, bad, truth, token).wrong).toBe(false)
  })

  it.each<{ name: string; row: Row; ended: Ended }>([
    { name: 'a green run that lacks a document', row: whole, ended: { ...good, lines: truth.slice(1) } },
    { name: 'a green run with another byte', row: whole, ended: { ...good, lines: [truth[0] as Buffer, Buffer.from('{"_id":"c"}')] } },
    { name: 'a green run whose snapshot does not verify', row: whole, ended: { ...good, findings: ['its digest is another'] } },
    { name: 'a green run that was never verified', row: whole, ended: { ...good, findings: undefined as never } },
    { name: 'a green run that does not warn', row: { ...whole, says: /warned/ }, ended: good },
    { name: 'a green run where a failure is due', row: cut, ended: good },
    { name: 'a failure where a snapshot is due', row: whole, ended: bad },
    { name: 'a failure with another code', row: cut, ended: { ...bad, code: 'unexpected' } },
    { name: 'a failure with another exit code', row: cut, ended: { ...bad, exitCode: 130 } },
    { name: 'a failure that publishes', row: cut, ended: { ...bad, lines: truth } },
    { name: 'a failure that leaves something', row: cut, ended: { ...bad, left: 'a.partial' } },
    { name: 'a run that hangs', row: cut, ended: { ...bad, exitCode: null, timedOut: true } },
    { name: 'a run that shows the token', row: cut, ended: { ...bad, seen: `it says ${Buffer.from(token).toString('base64')}` } },
    { name: 'a run that takes too much memory', row: { ...whole, peakRssBytes: 50e6 }, ended: good },
    { name: 'a run whose memory is not known', row: { ...whole, peakRssBytes: 50e6 }, ended: { ...good, peakRssBytes: undefined } },
    {
      name: 'a killed run that has published',
      row: { ...cut, signal: { name: 'SIGKILL', afterMs: 1 } },
      ended: { ...bad, exitCode: null, lines: truth },
    },
  ])('is not content with $name', ({ row, ended }) => {
    expect(judgeOurs(row, ended, truth, token).wrong).toBe(true)
  })
})

describe('the judge of the exporter', () => {
  it.each<{ name: string; ended: Ended; words: string }>([
    { name: 'whole', ended: good, words: 'green, whole' },
    { name: 'short', ended: { ...good, lines: truth.slice(1) }, words: '**green, WRONG: 1 of 2 documents**' },
    { name: 'nothing', ended: { ...good, lines: undefined }, words: '**green, WRONG: 0 of 2 documents**' },
    { name: 'failed', ended: bad, words: 'fails' },
    { name: 'failed and told', ended: { ...bad, seen: token }, words: 'fails, and prints the token' },
    { name: 'hung', ended: { ...bad, exitCode: null, timedOut: true }, words: '**hangs**' },
    { name: 'killed', ended: { ...bad, exitCode: null }, words: 'killed' },
  ])('says what came of it: $name', ({ ended, words }) => {
    expect(judgeExporter(ended, truth, token).words).toBe(words)
  })
})

describe('contentFault', () => {
  it('does not mind the order, and minds every byte and every repetition', () => {
    const [a, b] = truth as [Buffer, Buffer]
    expect(contentFault([b, a], truth)).toBeUndefined()
    expect(contentFault([a, a], truth)).toMatch(/1 of 2 documents rewritten/)
    expect(contentFault([a, b, b], truth)).toMatch(/3 of 2 documents/)
  })
})
