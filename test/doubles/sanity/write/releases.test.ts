import { describe, expect, it } from '@jest/globals'
import { runPeer, until } from '../../../support/process.ts'
import { act, firstError, held, mutate, strong } from '../calls.ts'
import { type Sanity, startSanity } from '../sanity.ts'

const release = (state: string, more: object = {}) => ({ _id: '_.releases.r1', _type: 'system.release', name: 'r1', state, ...more })
const version = { _id: 'versions.r1.a', _type: 'post', title: 'new' }
const published = { _id: 'a', _type: 'post', title: 'old', _createdAt: '2020-01-01T00:00:00Z' }
const stateOf = (sanity: Sanity) => held(sanity, '_.releases.r1')?.['state']
const on = (actionType: string, more: object = {}) => [{ actionType: `release.${actionType}`, releaseId: 'r1', ...more }]
const later = new Date(Date.now() + 3_600_000).toISOString()
const earlier = '2020-01-01T00:00:00Z'

describe('releases', () => {
  it('walk through all their states by the real client', async () => {
    await using sanity = await startSanity({ documents: [published] })
    const releaseId = 'r1'
    const calls = [
      ['releases.create', { releaseId, metadata: { title: 'Spring', releaseType: 'asap' } }],
      ['createVersion', { publishedId: 'a', releaseId, document: version }],
      ['releases.edit', { releaseId, patch: { set: { 'metadata.title': 'Summer' } } }],
      ['releases.schedule', { releaseId, publishAt: later }],
      ['releases.unschedule', { releaseId }],
      ['releases.archive', { releaseId }],
      ['getDocument', version._id],
      ['releases.unarchive', { releaseId }],
      ['releases.publish', { releaseId }],
      ['getDocument', '_.releases.r1'],
      ['getDocument', 'a'],
      ['releases.delete', { releaseId }],
    ]
    const results = await callClient(sanity, calls)
    expect(results.filter(({ message }) => message)).toEqual([])
    expect(results[6]?.result).toBeNull()
    expect(results[9]?.result).toMatchObject({ state: 'published', metadata: { title: 'Summer' } })
    expect(results[10]?.result).toMatchObject({ title: 'new', _createdAt: published._createdAt })
    expect(sanity.store().documents()).toHaveLength(1)
  })

  it.each([
    { from: 'active', action: on('delete'), to: 'deleted' },
    { from: 'active', action: on('unarchive'), to: 'unarchiving' },
    { from: 'scheduled', action: on('archive'), to: 'archiving' },
    { from: 'scheduled', action: on('publish'), to: 'publishing' },
    { from: 'published', action: on('schedule', { publishAt: later }), to: 'scheduling' },
    { from: 'scheduling', action: on('unschedule'), to: 'unscheduling' },
  ])('may not go from $from to $to', async ({ from, action, to }) => {
    await using sanity = await startSanity({ documents: [release(from)] })
    const told = await act(sanity, action)
    expect(told).toMatchObject({ status: 400, body: { error: { items: [{ error: { type: 'validationError' } }] } } })
    expect(JSON.stringify(told.body)).toContain(`is not permitted to transition from state '${from}' to '${to}'`)
  })

  it('arrive in their new state some time after the answer', async () => {
    await using sanity = await startSanity({ documents: [release('active')], rules: { transitionMs: 200 } })
    await act(sanity, on('archive'))
    expect(stateOf(sanity)).toBe('archiving')
    expect(firstError(await act(sanity, on('delete')))).toMatchObject({ status: 400 })
    await until(() => stateOf(sanity) === 'archived')
    expect(await act(sanity, on('delete'))).toMatchObject({ status: 200 })
  })

  it.each([
    { how: 'scheduled', actions: on('schedule', { publishAt: earlier }), documents: [release('active')] },
    { how: 'imported as scheduled', actions: on('import', { attributes: release('scheduled', { publishAt: earlier }) }), documents: [] },
  ])('publish at once when they are $how for a time that has passed', async ({ actions, documents }) => {
    await using sanity = await startSanity({ documents: [...documents, version, published] })
    await act(sanity, actions)
    expect(stateOf(sanity)).toBe('published')
    expect(held(sanity, 'a')).toMatchObject({ title: 'new' })
    expect(held(sanity, version._id)).toBeUndefined()
  })

  it('take a published document away by a tombstone', async () => {
    await using sanity = await startSanity({ documents: [release('active'), published] })
    await act(sanity, [{ actionType: 'document.version.unpublish', versionId: version._id, publishedId: 'a' }])
    await act(sanity, on('publish'))
    expect(stateOf(sanity)).toBe('published')
    expect(sanity.store().documents()).toHaveLength(1)
  })

  it('go back to active when what they publish refers to nothing', async () => {
    const broken = { ...version, author: strong('gone') }
    await using sanity = await startSanity({ documents: [release('active'), broken] })
    await act(sanity, on('publish'))
    expect(held(sanity, '_.releases.r1')).toMatchObject({ state: 'active', error: { message: expect.stringContaining('gone') } })
  })

  it.each(['scheduling', 'scheduled', 'publishing', 'published', 'archived'])('lock their documents when %s', async (state) => {
    await using sanity = await startSanity({ documents: [release(state)] })
    const told = await mutate(sanity, [{ create: version }])
    expect(firstError(told)).toEqual({ status: 400, type: 'validationError' })
    expect(JSON.stringify(told.body)).toContain(`(state: ${state}) can not be mutated`)
    const byAction = [{ actionType: 'document.version.create', publishedId: 'a', document: version }]
    expect(await act(sanity, byAction)).toMatchObject({ status: 400 })
  })

  it.each([[[]], [[release('active')]]])('let their documents be written when there are %j', async (documents) => {
    await using sanity = await startSanity({ documents })
    expect(await mutate(sanity, [{ create: version }])).toMatchObject({ status: 200 })
  })

  it.each(['create', 'import'])('say at the top of the answer when %s finds them there already', async (action) => {
    await using sanity = await startSanity({ documents: [release('active')] })
    const told = await act(sanity, on(action, { attributes: release('active') }))
    expect(told).toMatchObject({ status: 409, body: { error: { type: 'documentAlreadyExistsError', id: '_.releases.r1' } } })
  })

  it.each([
    { ifExists: 'ignore', title: 'old' },
    { ifExists: 'replace', title: 'new' },
  ])('are imported over others with $ifExists', async ({ ifExists, title }) => {
    await using sanity = await startSanity({ documents: [release('active', { metadata: { title: 'old' } })] })
    const attributes = release('active', { metadata: { title: 'new' } })
    expect(await act(sanity, on('import', { ifExists, attributes }))).toMatchObject({ status: 200 })
    expect(held(sanity, '_.releases.r1')).toMatchObject({ metadata: { title } })
  })

  it.each(['create', 'import'])('have a limit, which %s meets', async (action) => {
    await using sanity = await startSanity({ rules: { releaseLimit: 0 } })
    expect(await act(sanity, on(action))).toMatchObject({ body: { error: { type: 'releaseLimitExceededError', limit: 0 } } })
  })
})

describe('actions', () => {
  it('write nothing when the body says that they run dry, whatever the query says', async () => {
    await using sanity = await startSanity()
    expect(await act(sanity, on('create'), { members: { dryRun: true } })).toMatchObject({ status: 200 })
    expect(sanity.store().documents()).toEqual([])
    await act(sanity, on('create'), { query: { dryRun: 'true' } })
    expect(stateOf(sanity)).toBe('active')
  })

  it('are refused when the id of their transaction comes again', async () => {
    await using sanity = await startSanity()
    const members = { transactionId: 't1' }
    await act(sanity, on('create'), { members })
    expect(held(sanity, '_.releases.r1')).toMatchObject({ _rev: 't1' })
    expect(firstError(await act(sanity, on('create'), { members }))).toEqual({ status: 409, type: 'transactionAlreadyExistsError' })
  })

  it.each([
    { what: 'of two kinds in one request', actions: [...on('create'), { actionType: 'document.version.discard', versionId: 'x' }] },
    { what: 'that nobody knows', actions: on('explode') },
    { what: 'named like a method of all objects', actions: on('constructor') },
  ])('$what are refused', async ({ actions }) => {
    await using sanity = await startSanity()
    expect(firstError(await act(sanity, actions))).toMatchObject({ status: 400, type: 'validationError' })
    expect(sanity.store().documents()).toEqual([])
  })

  it('edit, publish, unpublish and delete a document by the real client', async () => {
    await using sanity = await startSanity({ documents: [published] })
    const both = { draftId: 'drafts.a', publishedId: 'a' }
    const action = (actionType: string, more: object) => ['action', { actionType: `sanity.action.document.${actionType}`, ...more }]
    const results = await callClient(sanity, [
      action('edit', { ...both, patch: { set: { title: 'draft' } } }),
      action('publish', { ...both, ifPublishedRevisionId: 'other' }),
      action('publish', both),
      ['getDocument', 'a'],
      action('unpublish', both),
      ['getDocument', 'a'],
      action('publish', both),
      action('delete', { publishedId: 'a', includeDrafts: [] }),
    ])
    expect(results.map(({ statusCode }) => statusCode)).toEqual([undefined, 409, ...Array(6).fill(undefined)])
    expect(results[3]?.result).toMatchObject({ title: 'draft', _createdAt: published._createdAt })
    expect(results[5]?.result).toBeNull()
    expect(sanity.store().documents()).toEqual([])
  })

  it('copy, replace and discard versions', async () => {
    await using sanity = await startSanity({ documents: [release('active'), { ...published, _rev: 'first' }] })
    const made = { publishedId: 'a', baseId: 'a', versionId: version._id, ifBaseRevisionId: 'first' }
    await act(sanity, [{ actionType: 'document.version.create', ...made }])
    expect(held(sanity, version._id)).toMatchObject({ title: 'old', _system: { base: { id: 'a', rev: 'first' } } })
    expect(firstError(await act(sanity, [{ actionType: 'document.version.create', ...made }]))).toMatchObject({ status: 409 })
    await act(sanity, [{ actionType: 'document.version.replace', document: version }])
    expect(held(sanity, version._id)).toMatchObject({ title: 'new' })
    await act(sanity, [{ actionType: 'document.version.discard', versionId: version._id }])
    expect(held(sanity, version._id)).toBeUndefined()
  })
})

type Result = { readonly result?: unknown; readonly statusCode?: number; readonly message?: string }

async function callClient(sanity: Sanity, calls: readonly unknown[]): Promise<Result[]> {
  const { url, project, dataset, editorToken: token } = sanity
  const { stdout, exitCode } = await runPeer(new URL('../../../peers/client.mjs', import.meta.url), { url, project, dataset, token, calls })
  // The client says on stderr which calls it likes better.
  expect(exitCode).toBe(0)
  return JSON.parse(stdout) as Result[]
}
