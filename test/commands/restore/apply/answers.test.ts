import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { RestoreOutcome } from '../../../../src/commands/restore/outcome.ts'
import { answers, rateLimited } from '../../../doubles/sanity/answers.ts'
import { realLimits } from '../../../doubles/sanity/limits.ts'
import type { SanityOptions } from '../../../doubles/sanity/sanity.ts'
import type { Fault, SanityRequest } from '../../../doubles/sanity/types.ts'
import { contentOf, type Scene, startScene } from '../scene.ts'

const strong = (id: string) => ({ _type: 'reference', _ref: id })
const times = { _createdAt: '2026-01-01T00:00:00Z', _updatedAt: '2026-01-02T00:00:00Z' }
const page = (id: string, more: object = {}) => ({ _id: id, _type: 'page', ...times, ...more })
const pages = (count: number, more: object = {}) => Array.from({ length: count }, (_, index) => page(`p${index}`, more))

let scene: Scene
afterEach(async () => await scene[Symbol.asyncDispose]())

async function emptied(documents: readonly object[], options: SanityOptions = {}): Promise<Scene> {
  scene = await startScene({ documents: documents as never, ...options })
  await scene.backUp()
  await scene.sanity.edit(documents.map((document) => ({ delete: { id: (document as { _id: string })._id } })))
  scene.sanity.reset()
  return scene
}

async function journalOf(applied: RestoreOutcome['applied']): Promise<{ transactionId: string; ids: string[] }[]> {
  const text = await readFile(applied?.journalPath ?? '', 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { transactionId: string; ids: string[] })
}

const isWrite = ({ query }: SanityRequest) => query['dryRun'] !== 'true'

describe('an answer to a transaction', () => {
  it.each<{ name: string; fault: Fault }>([
    { name: 'that is lost by a reset', fault: { lost: 'reset', times: 3 } },
    { name: 'that is lost as the connection closes', fault: { lost: 'close', times: 3 } },
    { name: 'that a proxy replaces by a 502', fault: { lost: answers.badGateway, times: 3 } },
    { name: 'that never comes, as the connection is reset before anything is done', fault: { connection: 'reset', times: 3 } },
    { name: 'that asks to wait, again and again', fault: { answer: rateLimited(2), times: 20 } },
    { name: 'that is a 503, again and again', fault: { answer: answers.unavailable, times: 20 } },
    { name: 'that tells of another transaction in the way', fault: { answer: answers.transactionConflict, times: 20 } },
  ])('$name, changes nothing about the result: each transaction counts once', async ({ fault }) => {
    const documents = [...pages(1200), page('last', { to: strong('p0') })]
    const { sanity, apply } = await emptied(documents)
    const before = sanity.store().history.transactions.length
    sanity.fault('mutate', { ...fault, when: isWrite })
    const { failure, applied } = await apply()
    expect(failure).toBeUndefined()
    expect(contentOf(scene).size).toBe(1201)
    expect(sanity.store().find('p7')).toMatchObject(times)
    expect(applied).toMatchObject({ transactions: 4, left: [], proof: { equal: 1201, differs: [] } })
    const made = sanity.store().history.transactions.slice(before)
    expect(made.map(({ id }) => id).toSorted()).toEqual((await journalOf(applied)).map(({ transactionId }) => transactionId).toSorted())
    expect(made.flatMap(({ documentIDs }) => documentIDs)).toHaveLength(1201)
  })
})

describe('a batch that is refused', () => {
  it('for one document among 500 is written without that one', async () => {
    const { sanity, apply } = await emptied(pages(500))
    const invalid = { type: 'validationError', description: 'Attribute "x" is too odd' }
    let turns = 0
    sanity.fault('mutate', {
      when: (request) => isWrite(request) && turns++ === 0,
      answer: { status: 400, body: { error: { type: 'mutationError', description: 'x', items: [{ index: 77, error: invalid }] } } },
    })
    // A batch goes by id.
    const refused = pages(500)
      .map(({ _id }) => _id)
      .sort()[77]
    const { failure, applied } = await apply()
    expect(failure?.message).toBe(`1 document differs after the restore:\n${refused}: Sanity says: Attribute "x" is too odd`)
    expect(failure?.hint).not.toMatch(/Ask everybody/)
    expect(applied?.left).toMatchObject([{ id: refused, byOthers: false }])
    expect(contentOf(scene).size).toBe(499)
    expect((await apply()).failure).toBeUndefined()
  })

  it('for its size is halved until it passes', async () => {
    const { sanity, apply } = await emptied(pages(40))
    const tooLarge = { status: 413, body: { statusCode: 413, error: 'Request Entity Too Large', message: 'Payload too large' } }
    sanity.fault('mutate', { answer: tooLarge, when: (request) => isWrite(request) && Number(request.headers['content-length']) > 1500 })
    const { failure, applied } = await apply()
    expect(failure).toBeUndefined()
    expect(applied?.transactions).toBe(4)
  })

  it('for no document, time after time, ends the run soon', async () => {
    const { sanity, apply } = await emptied(pages(3000))
    const odd = { status: 400, body: { statusCode: 400, error: 'Bad Request', message: 'Unknown parameter' } }
    sanity.fault('mutate', { answer: odd, when: isWrite })
    const { failure, applied, status } = await apply()
    expect({ status, code: failure?.code }).toEqual({ status: 'restored', code: 'restore-failed' })
    expect(failure?.message).toMatch(
      /^Sanity refuses document after document: 100 documents were refused, more than were written, .*: Sanity says: Unknown parameter\. 0 transactions/,
    )
    expect(failure?.hint).toMatch(/api-version.*Run the same restore again/)
    // Those that were on their way are told as well.
    expect(applied?.left.length).toBeLessThan(110)
    expect(sanity.count('mutate')).toBeLessThan(450)
  })
})

it('a token that is revoked in the middle ends the run, with how far it came, and a second run does the rest', async () => {
  const { sanity, apply } = await emptied(pages(3000))
  let turns = 0
  sanity.fault('mutate', { when: (request) => isWrite(request) && turns++ > 2, answer: answers.sessionNotFound })
  const { failure, applied, planPath } = await apply()
  expect(failure).toMatchObject({ code: 'restore-failed', title: 'The restore stopped before its end' })
  expect(failure?.message).toMatch(/3 transactions had been written by then\.$/)
  expect(failure?.hint).toMatch(/Run the same restore again/)
  expect(applied).toMatchObject({ transactions: 3, proof: undefined })
  expect(planPath).toMatch(/plan\.ndjson$/)
  sanity.reset()
  expect(await apply()).toMatchObject({ failure: undefined, applied: { transactions: 3, proof: { equal: 3000 } } })
})

it('a plan that was approved by its digest has to be approved again for what is left', async () => {
  const { sanity, apply } = await emptied(pages(3))
  sanity.fault('mutate', { when: isWrite, answer: answers.sessionNotFound })
  const { planDigest, failure } = await apply()
  expect(failure?.hint).not.toMatch(/plan-digest/)
  expect((await apply({ 'plan-digest': planDigest })).failure?.hint).toMatch(/What is left is another plan.*`plan-digest`/)
})

it('a token that may not create is found before the first write, with the plan', async () => {
  const may = (operation: string) => operation !== 'create'
  const { sanity, apply } = await emptied(pages(3), { tokens: { skNoCreateAbcdefghijklmnopqrstuvwxyz: { role: 'editor', may } } })
  const { failure, applied, plan, status } = await apply({ token: 'skNoCreateAbcdefghijklmnopqrstuvwxyz' })
  expect({ status, code: failure?.code, rows: plan.rows.length }).toEqual({ status: 'planned', code: 'sanity-forbidden', rows: 3 })
  expect(applied).toBeUndefined()
  expect(contentOf(scene).size).toBe(0)
  expect(sanity.requests.filter((request) => request.route === 'mutate' && isWrite(request))).toEqual([])
})

it('a count that lags behind our own deletes costs waits, and nothing else', async () => {
  scene = await startScene({ documents: pages(3), rules: { indexLagMs: 400 } })
  const { sanity, backUp, apply, waits } = scene
  await backUp()
  await sanity.edit(Array.from({ length: 50 }, (_, index) => ({ create: page(`added${index}`) })))
  const counted = { results: [3] }
  let deleted = false
  sanity.fault('query', { ...counted, results: [53, 53, 53, 53, 53, 53, 3], when: () => deleted })
  sanity.meanwhile('mutate', () => {
    deleted = true
  })
  expect((await apply({ mirror: 'true' })).failure).toBeUndefined()
  expect(waits.filter((ms) => ms >= 2000)).toEqual([2000, 4000, 8000, 16000, 30000])
})

it('the real limits are kept: 5,000 documents come back', async () => {
  const { apply, sanity } = await emptied(pages(5000, { body: 'x'.repeat(300) }), { limits: realLimits })
  const { failure, applied } = await apply()
  expect(failure).toBeUndefined()
  expect(applied?.proof?.equal).toBe(5000)
  const sizes = sanity.of('mutate').map(({ headers }) => Number(headers['content-length']))
  expect(Math.max(...sizes)).toBeLessThan(300_000)
  expect(sizes.length).toBeLessThan(60)
})
