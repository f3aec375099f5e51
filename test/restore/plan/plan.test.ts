import { describe, expect, it } from '@jest/globals'
import { type Doc, mirrorOfAll, planOf, rowsIn, to } from './plans.ts'

const post = (id: string, more: object = {}): Doc => ({ _id: id, _type: 'post', _rev: 'r', ...more })
const release = (name: string, state: string, more: object = {}): Doc => ({
  _id: `_.releases.${name}`,
  _type: 'system.release',
  name,
  state,
  metadata: { title: name },
  ...more,
})

describe('what is chosen', () => {
  const home = [post('home'), post('drafts.home'), post('versions.r1.home')]

  it.each<{ what: string; choice: object; rows: string[] }>([
    { what: 'everything', choice: {}, rows: ['create drafts.home', 'create home', 'create other', 'create versions.r1.home'] },
    {
      what: 'an id, with its draft and version',
      choice: { ids: ['home'] },
      rows: ['create drafts.home', 'create home', 'create versions.r1.home'],
    },
    { what: 'a draft alone', choice: { ids: ['drafts.home'] }, rows: ['create drafts.home'] },
    { what: 'all but an id', choice: { excludeIds: ['home'] }, rows: ['create other'] },
    { what: 'a type', choice: { types: ['page'] }, rows: ['create other'] },
    { what: 'all but a type', choice: { excludeTypes: ['post'] }, rows: ['create other'] },
    { what: 'an id of a type that is excluded', choice: { ids: ['other'], excludeTypes: ['page'] }, rows: [] },
  ])('is $what', ({ choice, rows }) => {
    expect(rowsIn(planOf({ snapshot: [...home, { _id: 'other', _type: 'page' }], choice }))).toEqual(rows)
  })

  it('brings along what it refers to and the target lacks, and what that refers to', () => {
    const snapshot = [post('a', { next: to('b') }), post('b', { next: to('c') }), post('c', { next: to('d') }), post('d'), post('e')]
    expect(rowsIn(planOf({ snapshot, target: [post('d', { old: true })], choice: { ids: ['a'] } }))).toEqual([
      'create a',
      'create b: referred to by a',
      'create c: referred to by b',
    ])
  })

  it('does not bring along what is excluded by name: then it is blocked itself', () => {
    const snapshot = [post('a', { next: to('b') }), post('b')]
    expect(rowsIn(planOf({ snapshot, choice: { ids: ['a'], excludeIds: ['b'] } }))).toEqual(['blocked a: refers to b, which is not chosen'])
  })

  it('brings the release of a version along', () => {
    const snapshot = [post('versions.r1.home'), release('r1', 'active')]
    expect(rowsIn(planOf({ snapshot, choice: { ids: ['home'] } }))).toEqual([
      'create _.releases.r1: referred to by versions.r1.home',
      'create versions.r1.home',
    ])
  })

  it('is nothing that has an excluded type in the target: it is neither written nor deleted', () => {
    const snapshot = [post('a')]
    const target = [
      { _id: 'a', _type: 'settings' },
      { _id: 'b', _type: 'settings' },
    ]
    expect(rowsIn(planOf({ snapshot, target, choice: { excludeTypes: ['settings'] }, mirror: mirrorOfAll }))).toEqual([])
  })
})

describe('what cannot be', () => {
  it.each<{ what: string; snapshot: Doc[]; target?: Doc[]; rows: string[] }>([
    {
      what: 'a reference to nothing, and what depends on it',
      snapshot: [post('a', { next: to('gone') }), post('b', { next: to('a') }), post('c', { next: to('b') }), post('d')],
      rows: [
        'blocked a: refers to gone, which is neither in the snapshot nor in the target',
        'blocked b: refers to a, which cannot be restored',
        'blocked c: refers to b, which cannot be restored',
        'create d',
      ],
    },
    {
      what: 'a reference to nothing of a document that is there: what refers to that one is none the worse',
      snapshot: [post('a', { next: to('gone') }), post('b', { next: to('a') })],
      target: [post('a')],
      rows: ['blocked a: refers to gone, which is neither in the snapshot nor in the target', 'create b'],
    },
    {
      what: 'an id that Sanity does not take',
      snapshot: [post('-a'), post('b b'), post('c..d'), post('e.'), post('x'.repeat(129)), post('Ok_1.2-3')],
      rows: [
        'blocked -a: Sanity takes no such id',
        'create Ok_1.2-3',
        'blocked b b: Sanity takes no such id',
        'blocked c..d: Sanity takes no such id',
        'blocked e.: Sanity takes no such id',
        `blocked ${'x'.repeat(129)}: Sanity takes no such id`,
      ],
    },
    {
      what: 'a document of Sanity’s own',
      snapshot: [{ _id: '_.groups.x', _type: 'system.group' }],
      rows: ['blocked _.groups.x: it is Sanity’s own, and only Sanity writes it'],
    },
    {
      what: 'a change of type that a document which stays forbids',
      snapshot: [post('a'), post('b', { next: to('a') })],
      target: [{ _id: 'a', _type: 'page' }, post('b', { next: to('a') })],
      rows: ['blocked a: b, which stays, refers to it, so that it must keep its type'],
    },
    {
      what: 'a change of type that is no trouble: what refers to it changes too',
      snapshot: [post('a'), post('b', { next: to('a'), title: 'new' })],
      target: [{ _id: 'a', _type: 'page' }, post('b', { next: to('a') })],
      rows: ['replace a', 'replace b'],
    },
    {
      what: 'a change of type of one that refers to itself',
      snapshot: [post('a', { me: to('a') })],
      target: [{ _id: 'a', _type: 'page', me: to('a') }],
      rows: ['replace a'],
    },
  ])('is $what', ({ snapshot, target = [], rows }) => {
    expect(rowsIn(planOf({ snapshot, target }))).toEqual(rows)
  })

  it.each(['scheduled', 'scheduling'])('is a version of a release that is %s in the target', (state) => {
    const target = [release('r1', state), post('versions.r1.b', { old: true }), post('versions.r1.c'), post('versions.r1.d')]
    const snapshot = [release('r1', state), post('versions.r1.a'), post('versions.r1.b'), post('versions.r1.c')]
    const why = `its release is ${state} in the target: take it off the schedule in the Studio first`
    expect(rowsIn(planOf({ snapshot, target, mirror: mirrorOfAll }))).toEqual([
      `blocked versions.r1.a: ${why}`,
      `blocked versions.r1.b: ${why}`,
      `blocked versions.r1.d: ${why}`,
    ])
  })

  it('is a version of a release that is archived in the target', () => {
    const snapshot = [release('r1', 'active'), post('versions.r1.a')]
    expect(rowsIn(planOf({ snapshot, target: [release('r1', 'archived')] }))).toEqual([
      'blocked _.releases.r1: the release is archived in the target and was active: nobody but the Studio can change that',
      'blocked versions.r1.a: its release is archived in the target, and only those of an active one can be written',
    ])
  })

  it('is a version of a release that cannot come', () => {
    const snapshot = [release('r1', 'publishing'), post('versions.r1.a')]
    expect(rowsIn(planOf({ snapshot }))).toEqual([
      'blocked _.releases.r1: the release was publishing, and no release can be made in that state',
      'blocked versions.r1.a: its release _.releases.r1 cannot be restored',
    ])
  })
})

describe('releases', () => {
  it.each<{ was: string; is: string | undefined; rows: string[]; more?: object }>([
    { was: 'active', is: undefined, rows: ['create _.releases.r'] },
    { was: 'active', is: 'active', rows: [] },
    { was: 'active', is: 'active', more: { metadata: { title: 'other' } }, rows: ['replace _.releases.r'] },
    {
      was: 'active',
      is: 'scheduled',
      rows: ['blocked _.releases.r: the release is scheduled in the target and was active: nobody but the Studio can change that'],
    },
    {
      was: 'active',
      is: 'published',
      rows: ['blocked _.releases.r: the release is published in the target and was active: nobody but the Studio can change that'],
    },
    {
      was: 'scheduled',
      is: undefined,
      rows: ['create _.releases.r: it was scheduled and comes back as active, so that nothing is published by itself'],
    },
    { was: 'scheduled', is: 'active', rows: [] },
    { was: 'scheduled', is: 'scheduled', rows: [] },
    {
      was: 'scheduled',
      is: 'scheduled',
      more: { publishAt: '2027-01-01T00:00:00Z' },
      rows: ['blocked _.releases.r: the release is scheduled in the target for another time: nobody but the Studio can change that'],
    },
    {
      was: 'published',
      is: undefined,
      rows: ['blocked _.releases.r: the release was published, and no release can be made in that state'],
    },
    { was: 'published', is: 'published', rows: [] },
    {
      was: 'archived',
      is: undefined,
      rows: ['blocked _.releases.r: the release was archived, and no release can be made in that state'],
    },
    { was: 'archived', is: 'archived', rows: [] },
    {
      was: 'archived',
      is: 'active',
      rows: ['blocked _.releases.r: the release is active in the target and was archived: nobody but the Studio can change that'],
    },
  ])('that were $was and are $is', ({ was, is, rows, more = {} }) => {
    const wanted = release('r', was, was === 'scheduled' ? { publishAt: '2026-12-24T00:00:00Z' } : {})
    const there = is === undefined ? [] : [{ ...wanted, state: is, ...more }]
    expect(rowsIn(planOf({ snapshot: [wanted], target: there }))).toEqual(rows)
  })
})

describe('a mirror', () => {
  const made = (id: string, _createdAt: string, more: object = {}) => post(id, { _createdAt, ...more })

  it('deletes what the snapshot lacks, and counts what it leaves alone', () => {
    const target = [
      made('old', '2026-01-01T00:00:00Z'),
      made('new', '2026-11-25T00:00:00Z'),
      made('before', '2026-11-20T02:59:59.999Z'),
      made('first', '2026-11-20T03:00:00.000Z'),
      made('last', '2026-11-20T03:01:00.000Z'),
      made('after', '2026-11-20T03:01:00.001Z'),
      made('secrets.key', '2026-01-01T00:00:00Z'),
      { ...made('x', '2026-01-01T00:00:00Z'), _type: 'log' },
      { ...made('_.releases.r', '2026-01-01T00:00:00Z'), _type: 'system.release' },
      { ...made(`file-${'a'.repeat(40)}-pdf`, '2026-01-01T00:00:00Z'), _type: 'sanity.fileAsset' },
      { ...made('video-1', '2026-01-01T00:00:00Z'), _type: 'sanity.videoAsset' },
    ]
    const filters = { includeDrafts: true, types: [], excludeTypes: ['log'], excludeIds: ['secrets.**'] }
    const plan = planOf({ target, mirror: { ...mirrorOfAll, filters } })
    expect(rowsIn(plan)).toEqual(['delete after', 'delete before', 'delete new', 'delete old'])
    expect(Object.fromEntries(plan.stays)).toEqual({ newer: 2, filtered: 2, system: 1, asset: 2 })
  })

  it('leaves drafts and versions alone where the snapshot has none, and what is not of its types', () => {
    const target = [post('drafts.a'), post('versions.r.a'), post('b'), { _id: 'c', _type: 'page' }]
    const filters = { includeDrafts: false, types: ['post'], excludeTypes: [], excludeIds: [] }
    const plan = planOf({ target, mirror: { ...mirrorOfAll, filters } })
    expect(rowsIn(plan)).toEqual(['delete b'])
    expect(Object.fromEntries(plan.stays)).toEqual({ filtered: 3 })
  })

  it('does not delete what a document that stays refers to, nor what that refers to', () => {
    const target = [post('a', { next: to('b') }), post('b', { next: to('c') }), post('c'), post('d')]
    expect(rowsIn(planOf({ target, mirror: mirrorOfAll, choice: { excludeIds: ['a'] } }))).toEqual([
      'blocked b: a, which stays, refers to it',
      'blocked c: b, which stays, refers to it',
      'delete d',
    ])
  })

  it('deletes what only others that go, or change, refer to', () => {
    const target = [post('a', { next: to('b') }), post('b', { next: to('a') }), post('keep', { next: to('a') })]
    expect(rowsIn(planOf({ snapshot: [post('keep')], target, mirror: mirrorOfAll }))).toEqual(['delete a', 'delete b', 'replace keep'])
  })

  it('deletes nothing that is not chosen', () => {
    const target = [post('a'), { _id: 'b', _type: 'page' }]
    expect(rowsIn(planOf({ target, mirror: mirrorOfAll, choice: { types: ['page'] } }))).toEqual(['delete b'])
  })
})

describe('a plan', () => {
  const snapshot = [
    post('a', { to: [to('x'), to('y')] }),
    post('b', { to: [to('y'), to('x')] }),
    post('c', { to: [to('gone'), to('lost')] }),
    post('d', { to: [to('c')] }),
    post('e', { to: [to('c'), to('d')] }),
    post('x'),
    post('y'),
    { _id: 't', _type: 'page' },
  ]
  const target = [{ _id: 't', _type: 'post' }, post('u', { to: to('t') }), post('v', { to: to('t') }), post('w', { to: to('gone too') })]

  it('is the same, whatever the order in which Sanity sends the documents', () => {
    const choice = { ids: ['a', 'b', 'c', 'd', 'e', 't'] }
    const plans = [target, target.toReversed(), [...target.slice(2), ...target.slice(0, 2)]].map((there) =>
      rowsIn(planOf({ snapshot, target: there, choice })),
    )
    expect(plans[1]).toEqual(plans[0])
    expect(plans[2]).toEqual(plans[0])
    const named = target.map((_, index) => ({ ...post(`${9 - index}`), to: to(['b', 'a', 'e', 'd'][index] ?? '') }))
    expect(rowsIn(planOf({ snapshot, target: named, choice }))).toEqual(rowsIn(planOf({ snapshot, target: named.toReversed(), choice })))
  })
})

describe('assets', () => {
  const svg = (hash: string, more: object = {}): Doc => ({ _id: `image-${hash.repeat(40)}-4x3-svg`, _type: 'sanity.imageAsset', ...more })
  const [x, y] = [svg('a'), svg('b')]

  it('that come back under another id keep those that refer to them, and are there the next time', () => {
    const snapshot = [x, post('page', { image: { asset: to(x._id) } })]
    const newIds = { [x._id]: y._id }
    expect(rowsIn(planOf({ snapshot, newIds, assets: { [x._id]: 'snapshot' } }))).toEqual([
      `upload ${x._id}: it comes back as ${y._id}`,
      'create page',
    ])
    const again = planOf({ snapshot, newIds, target: [y, post('page', { image: { asset: to(y._id) } })] })
    expect(rowsIn(again)).toEqual([])
    expect(again.unchanged).toBe(2)
  })

  it('that come back as one that the snapshot has too are that one: its own words count', () => {
    const snapshot = [svg('a', { title: 'Old' }), svg('b', { title: 'New' }), post('page', { image: { asset: to(x._id) } })]
    const newIds = { [x._id]: y._id }
    const target = [svg('b', { title: 'New' })]
    expect(rowsIn(planOf({ snapshot, target, newIds }))).toEqual(['create page'])
    expect(rowsIn(planOf({ snapshot, newIds, assets: { [x._id]: 'snapshot', [y._id]: 'snapshot' } }))).toEqual([
      `upload ${y._id}`,
      'create page',
    ])
  })

  it('of which two come back as the same one are uploaded once', () => {
    const snapshot = [svg('a', { title: 'A' }), svg('c', { title: 'C' }), post('page', { images: [to(x._id), to(svg('c')._id)] })]
    const newIds = { [x._id]: y._id, [svg('c')._id]: y._id }
    const assets = { [x._id]: 'snapshot', [svg('c')._id]: 'snapshot' } as const
    expect(rowsIn(planOf({ snapshot, newIds, assets }))).toEqual([`upload ${x._id}: it comes back as ${y._id}`, 'create page'])
    expect(rowsIn(planOf({ snapshot, newIds, target: [svg('b', { title: 'A' })] }))).toEqual(['create page'])
  })

  it('whose file is nowhere block what refers to them, and are blocked themselves', () => {
    const snapshot = [x, post('page', { image: { asset: to(x._id) } }), post('other', { weak: { ...to(x._id), _weak: true } })]
    expect(rowsIn(planOf({ snapshot, assets: { [x._id]: { nowhere: 'its file is gone' } } }))).toEqual([
      `blocked ${x._id}: its file is gone`,
      'create other',
      `blocked page: refers to ${x._id}, which cannot be restored`,
    ])
  })

  it('are mended where only what people wrote differs', () => {
    expect(rowsIn(planOf({ snapshot: [svg('a', { title: 'T' })], target: [x] }))).toEqual([`replace ${x._id}`])
    expect(rowsIn(planOf({ snapshot: [svg('a', { uploadId: '1', url: 'x', path: 'y' })], target: [x], sameDataset: false }))).toEqual([])
  })
})

describe('what comes along', () => {
  const image = { _id: `image-${'a'.repeat(40)}-1x1-png`, _type: 'sanity.imageAsset' }
  const page = post('page', { image: to(image._id), next: to('b') })
  const uploaded = { ...image, _createdAt: '2026-11-25T00:00:00Z', sha1hash: 'a'.repeat(40), originalFilename: 'a.png' }

  it('stays as it is where the target has it', () => {
    const target = [post('b', { title: 'Theirs' }), { ...uploaded, altText: 'Theirs' }]
    expect(rowsIn(planOf({ snapshot: [page, post('b'), { ...image, altText: 'A' }], target, choice: { ids: ['page'] } }))).toEqual([
      'create page',
    ])
  })

  it('is finished where a restore has left it half there, whatever this one chooses', () => {
    const half = post('b', { sanityBackupUnfinished: true })
    const snapshot = [post('a'), post('b', { next: to('c') }), post('c')]
    expect(rowsIn(planOf({ snapshot, target: [post('a'), half], choice: { ids: ['a'] } }))).toEqual([
      'replace b',
      'create c: referred to by b',
    ])
    expect(rowsIn(planOf({ snapshot, target: [post('a'), half], choice: { ids: ['a'], excludeIds: ['b'] } }))).toEqual([])
  })

  it.each([
    {
      what: 'that a stopped restore has uploaded gets what was written about it',
      there: uploaded,
      rows: [`replace ${image._id}: referred to by page`],
    },
    { what: 'that was there before the snapshot is left alone', there: { ...uploaded, _createdAt: '2026-01-01T00:00:00Z' }, rows: [] },
    { what: 'about which somebody has written is left alone', there: { ...uploaded, title: 'Theirs' }, rows: [] },
  ])('a file $what', ({ there, rows }) => {
    const snapshot = [page, post('b'), { ...uploaded, altText: 'A' }]
    expect(rowsIn(planOf({ snapshot, target: [page, post('b'), there], choice: { ids: ['page'] } }))).toEqual(rows)
  })

  it('is looked at again after a plan that had it', () => {
    const snapshot = [post('a', { next: to('b') }), post('b', { title: 'As it was' })]
    const target = [post('a', { next: to('b') }), post('b', { title: 'Theirs' })]
    expect(rowsIn(planOf({ snapshot, target, choice: { ids: ['a'] }, again: ['a', 'b'] }))).toEqual(['replace b'])
  })
})
