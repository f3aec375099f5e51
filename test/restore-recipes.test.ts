import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { startArtifacts } from './doubles/artifacts/artifacts.ts'
import { startGithubRest } from './doubles/github/github.ts'
import { startSanity } from './doubles/sanity/sanity.ts'
import { ROOT } from './support/process.ts'
import { runWorkflow, type Stage, type WorkflowResult } from './support/workflow.ts'

const page = readFileSync(join(ROOT, 'docs/recipes.md'), 'utf8')

/** The workflow below a heading of the page. */
function recipe(heading: string): string {
  const start = page.search(new RegExp(`^##+ ${heading}$`, 'm'))
  return /```yaml\n([\s\S]*?)```/.exec(page.slice(start))?.[1] ?? ''
}

/** What the server adds to every document. */
const times = { _rev: 'first', _createdAt: '2026-01-01T00:00:00Z', _updatedAt: '2026-01-01T00:00:00Z' }
const home = { _id: 'home', _type: 'page', ...times, title: 'Home' }
const about = { _id: 'about', _type: 'page', ...times, title: 'About', home: { _type: 'reference', _ref: 'home' } }
const documents = [home, { ...home, _id: 'drafts.home', title: 'Home, soon' }, about, ...posts(100)]

function posts(count: number) {
  return Array.from({ length: count }, (_, index) => ({ _id: `post-${index}`, _type: 'post', ...times, title: `Post ${index}` }))
}

type World = Stage & AsyncDisposable & { readonly nightly: () => Promise<WorkflowResult> }

/** A project with a dataset of 103 documents, a repository with the secrets that the page asks for, and the nightly backup. */
async function makeWorld(others: Readonly<Record<string, readonly object[]>> = {}): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const datasets = Object.fromEntries(Object.entries(others).map(([name, held]) => [name, { documents: held as typeof documents }]))
  const sanity = stack.use(await startSanity({ documents, projects: { abc12345: datasets } }))
  const artifacts = stack.use(await startArtifacts())
  const rest = stack.use(await startGithubRest({ artifacts }))
  const stage = {
    sanity,
    artifacts,
    rest,
    secrets: { SANITY_AUTH_TOKEN: sanity.token },
    environments: {
      'sanity-restore': { SANITY_RESTORE_TOKEN: sanity.editorToken, SANITY_ADMIN_TOKEN: sanity.adminToken },
      'sanity-staging': { SANITY_STAGING_TOKEN: sanity.editorToken },
      'sanity-drill': { SANITY_DRILL_TOKEN: sanity.editorToken },
    },
  }
  const owned = stack.move()
  return {
    ...stage,
    nightly: async () => await runWorkflow(recipe('Every night'), stage),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const tomorrow = () => new Date(Date.now() + 24 * 3_600_000).toISOString().slice(0, 10)
const resultsOf = ({ jobs }: WorkflowResult) => Object.fromEntries(Object.entries(jobs).map(([name, { result }]) => [name, result]))
const titlesOf = (world: Stage, dataset: string) =>
  Object.fromEntries(
    world.sanity
      .store(dataset)
      .documents()
      .map(({ _id, title }) => [_id, title]),
  )

describe('the recipe One page back', () => {
  it('shows a plan, and writes it only when told to', async () => {
    await using world = await makeWorld()
    await world.nightly()
    await world.sanity.edit([
      { patch: { id: 'home', set: { title: 'Spoiled' } } },
      { delete: { id: 'drafts.home' } },
      { patch: { id: 'about', set: { title: 'Better' } } },
    ])
    const stage = { ...world, inputs: { ids: 'home', at: tomorrow() } }

    const planned = await runWorkflow(recipe('One page back'), stage)
    expect(resultsOf(planned)).toEqual({ plan: 'success', apply: 'skipped' })
    expect(planned.jobs['plan']?.runs[0]).toMatchObject({ status: 'planned', 'create-count': '1', 'replace-count': '1' })
    expect(titlesOf(world, 'production')).toMatchObject({ home: 'Spoiled' })

    const done = await runWorkflow(recipe('One page back'), { ...stage, inputs: { ...stage.inputs, apply: true } })
    expect(resultsOf(done)).toEqual({ plan: 'success', apply: 'success' })
    expect(titlesOf(world, 'production')).toMatchObject({ home: 'Home', 'drafts.home': 'Home, soon', about: 'Better' })
  })
})

describe('the recipe The whole dataset back', () => {
  const spoil = async ({ sanity }: Stage) =>
    await sanity.edit([{ patch: { id: 'home', set: { title: 'Spoiled' } } }, { create: { _id: 'added', _type: 'page', title: 'Added' } }])

  it('restores what was approved, from the snapshot of the plan, though a newer one is stored meanwhile', async () => {
    await using world = await makeWorld()
    await world.nightly()
    await spoil(world)
    const onJob = async (job: string) => {
      if (job !== 'apply') return
      // The time of a snapshot has no fractions of a second.
      await new Promise((resolve) => setTimeout(resolve, 1000))
      expect(resultsOf(await world.nightly())).toEqual({ backup: 'success' })
    }
    const done = await runWorkflow(recipe('The whole dataset back'), { ...world, inputs: { at: tomorrow(), mirror: true }, onJob })
    expect(resultsOf(done)).toEqual({ plan: 'success', apply: 'success' })
    expect(done.jobs['apply']?.runs[0]).toMatchObject({ status: 'restored', 'replace-count': '1', 'delete-count': '1' })
    expect(world.sanity.store().documents()).toHaveLength(documents.length)
    expect(world.artifacts.list().map(({ name }) => name)).toContain('sanity-abc12345-production-pre-restore')
  })

  it('writes nothing if the dataset has changed since the plan', async () => {
    await using world = await makeWorld()
    await world.nightly()
    await spoil(world)
    const onJob = async (job: string) => job === 'apply' && (await world.sanity.edit([{ delete: { id: 'about' } }]))
    const done = await runWorkflow(recipe('The whole dataset back'), { ...world, inputs: { at: tomorrow() }, onJob })
    expect(resultsOf(done)).toEqual({ plan: 'success', apply: 'failure' })
    expect(done.jobs['apply']?.runs[0]).toMatchObject({ 'error-code': 'restore-refused' })
    expect(titlesOf(world, 'production')).toMatchObject({ home: 'Spoiled' })
  })

  it('cannot write in the job that makes the plan', () => {
    const { jobs } = parse(recipe('The whole dataset back')) as { jobs: Record<string, { environment?: string; steps: object[] }> }
    expect(jobs['plan']?.environment).toBeUndefined()
    expect(JSON.stringify(jobs['plan'])).not.toMatch(/RESTORE_TOKEN|apply/)
  })
})

describe('the recipe Staging every morning', () => {
  const own = [
    { _id: 'siteSettings', _type: 'siteSettings', ...times, title: 'Staging' },
    { _id: 'try-1', _type: 'experiment', ...times, title: 'Button', page: { _type: 'reference', _ref: 'old' } },
    { _id: 'old', _type: 'page', ...times, title: 'Gone from production' },
    { _id: 'stray', _type: 'page', ...times, title: 'Stray' },
  ]

  it('makes staging last night’s production, but for what it keeps', async () => {
    await using world = await makeWorld({ staging: own })
    await world.nightly()
    const done = await runWorkflow(recipe('Staging every morning'), world)
    expect(resultsOf(done)).toEqual({ staging: 'success' })
    const titles = titlesOf(world, 'staging')
    expect(titles).toMatchObject({
      ...titlesOf(world, 'production'),
      siteSettings: 'Staging',
      'try-1': 'Button',
      old: 'Gone from production',
    })
    expect(Object.keys(titles)).toHaveLength(documents.length + 3)
  })

  it('stops where last night’s backup is missing', async () => {
    await using world = await makeWorld({ staging: own })
    const done = await runWorkflow(recipe('Staging every morning'), world)
    expect(resultsOf(done)).toEqual({ staging: 'failure' })
    expect(world.sanity.store('staging').documents()).toHaveLength(own.length)
  })
})

describe('the recipe The weekly drill', () => {
  /** `gh` with the number of an open issue, or none. */
  const gh = (number: string) => ({ gh: `[ "$2" = list ] && echo "${number}"; true` })

  it.each([
    { name: 'no issue is open', number: '', calls: [/^gh issue list/] },
    {
      name: 'one is open: it is closed',
      number: '7',
      calls: [/^gh issue list/, /^gh issue close 7 --comment abc12345-production-\S+ came back whole: https/],
    },
  ])('restores into the scratch dataset, and reports it; $name', async ({ number, calls }) => {
    await using world = await makeWorld({ drill: [{ _id: 'left-over', _type: 'page', ...times }] })
    await world.nightly()
    const done = await runWorkflow(recipe('The weekly drill'), { ...world, programs: gh(number) })
    expect(done.calls).toEqual(calls.map((call) => expect.stringMatching(call)))
    expect(done.jobs['drill']?.summary).toMatch(
      /^## Sanity restore of drill: ✅ restored, 103 documents equal\n[\s\S]*\*\*Run:\*\* \d{4}-\d\d-\d\dT.*took/,
    )
    expect(titlesOf(world, 'drill')).toEqual(titlesOf(world, 'production'))
  })

  it.each([
    {
      name: 'opens an issue',
      number: '',
      call: /^gh issue create --title The Sanity restore drill has failed --body The drill of \d{4}-\d\d-\d\d failed \(snapshot-missing, no snapshot\): https/,
    },
    { name: 'adds to the open one', number: '7', call: /^gh issue comment 7 --body The drill of .* failed \(snapshot-missing/ },
  ])('$name when it fails', async ({ number, call }) => {
    await using world = await makeWorld({ drill: [] })
    const done = await runWorkflow(recipe('The weekly drill'), { ...world, programs: gh(number) })
    expect(resultsOf(done)).toEqual({ drill: 'failure' })
    expect(done.calls).toEqual([expect.stringMatching(/^gh issue list/), expect.stringMatching(call)])
  })
})

describe('the recipe Before a migration or an agent’s run', () => {
  it.each([
    { name: 'succeeds', exit: 0, migrate: 'success' },
    { name: 'fails in the middle', exit: 1, migrate: 'failure' },
  ])('shows what a migration changed that $name, and writes nothing', async ({ exit, migrate }) => {
    await using world = await makeWorld()
    const onJob = async (job: string) =>
      job === 'migrate' && (await world.sanity.edit([{ patch: { id: 'home', set: { title: 'Migrated' } } }, { delete: { id: 'post-1' } }]))
    const text = recipe("Before a migration or an agent's run").replace('./migrate.sh', 'migrate.sh')
    const done = await runWorkflow(text, { ...world, onJob, programs: { 'migrate.sh': `exit ${exit}` } })
    expect(resultsOf(done)).toEqual({ backup: 'success', migrate, 'way-back': 'success' })
    expect(done.jobs['way-back']?.runs[0]).toMatchObject({
      status: 'planned',
      'create-count': '1',
      'replace-count': '1',
      'delete-count': '0',
    })
    expect(done.jobs['way-back']?.summary).toContain('### To carry this plan out')
    expect(titlesOf(world, 'production')).toMatchObject({ home: 'Migrated' })
  })
})

describe('the recipe A new dataset behind an alias', () => {
  it('makes the dataset, restores into it, and switches the alias last', async () => {
    await using world = await makeWorld()
    await world.nightly()
    const create = `[ "$4" = create ] || exit 0
curl --fail --silent --request PUT --header "Authorization: Bearer $SANITY_AUTH_TOKEN" --header 'Content-Type: application/json' --data '{"aclMode":"private"}' "${world.sanity.url}/v2025-09-16/datasets/$5"`
    const inputs = { at: tomorrow(), dataset: 'production-new' }
    const done = await runWorkflow(recipe('A new dataset behind an alias'), { ...world, inputs, programs: { npx: create } })
    expect({ results: resultsOf(done), calls: done.calls }).toEqual({
      results: { restore: 'success' },
      calls: [
        'npx --yes sanity@latest dataset create production-new --project-id abc12345 --visibility private',
        'npx --yes sanity@latest dataset alias link site production-new --project-id abc12345 --force',
      ],
    })
    expect(titlesOf(world, 'production-new')).toEqual(titlesOf(world, 'production'))
  })
})

describe('the workflow for those in a hurry', () => {
  it('is a plan, and restores with the lines that the page adds', async () => {
    await using world = await makeWorld()
    await world.nightly()
    await world.sanity.edit([{ delete: { id: 'about' } }])
    const blocks = [...readFileSync(join(ROOT, 'docs/restore.md'), 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)
    const [workflow = '', more = ''] = blocks
    const hurried = workflow.replace(/at: \S+/, `at: ${tomorrow()}`)
    const planned = await runWorkflow(hurried, world)
    const { 'plan-digest': digest = '', ...outputs } = planned.jobs['restore']?.runs[0] ?? {}
    expect(outputs).toMatchObject({ status: 'planned', 'create-count': '1' })

    const added = more
      .replace(/^with:\n/, '')
      .replace(/sha256:…[^\n]*/, digest)
      .replaceAll(/^ {2}/gm, '          ')
    const applying = hurried.replace(/^ +token: .*\n/m, '') + added
    const secrets = { ...world.secrets, SANITY_RESTORE_TOKEN: world.sanity.editorToken }
    const done = await runWorkflow(applying, { ...world, secrets })
    expect(done.jobs['restore']?.runs[0]).toMatchObject({ status: 'restored', 'create-count': '1' })
  })
})

describe('the step in the summary of a backup', () => {
  it('is a plan as it is, and restores once its comments are taken away', async () => {
    await using world = await makeWorld()
    const { jobs } = await world.nightly()
    await world.sanity.edit([{ delete: { id: 'about' } }])
    const step = /```yaml\n([\s\S]*?)```/.exec(jobs['backup']?.summary ?? '')?.[1] ?? ''
    const pasted = step.replace(/uses: \S+/, 'uses: OWNER/sanity-backup/restore@v1').replaceAll(/^/gm, '      ')
    const workflow = (steps: string) => `on: workflow_dispatch\njobs:\n  restore:\n    environment: sanity-restore\n    steps:\n${steps}`
    const planned = await runWorkflow(workflow(pasted), world)
    expect(planned.jobs['restore']?.runs[0]).toMatchObject({ status: 'planned', 'create-count': '1' })
    const done = await runWorkflow(workflow(pasted.replaceAll(/# (mode|confirm)/g, '$1')), world)
    expect(done.jobs['restore']?.runs[0]).toMatchObject({ status: 'restored' })
    expect(titlesOf(world, 'production')).toMatchObject({ about: 'About' })
  })
})

describe('the workflows of the pages', () => {
  const blocks = ['README.md', 'docs/recipes.md', 'docs/restore.md'].flatMap((name) =>
    [...readFileSync(join(ROOT, name), 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => ({ name, text })),
  )
  type Job = {
    readonly concurrency?: object
    readonly 'timeout-minutes'?: number
    readonly steps: readonly { uses?: string; with?: object }[]
  }
  type Workflow = {
    readonly name: string
    readonly on?: object
    readonly concurrency?: object
    readonly permissions?: object
    readonly jobs: Record<string, Job>
  }
  const workflows = blocks.map(({ text }) => parse(text) as Workflow).filter((each) => each?.on !== undefined && each.jobs !== undefined)
  const jobs = workflows.flatMap((workflow) => Object.values(workflow.jobs).map((job) => ({ workflow, job })))
  const uses = ({ steps }: Job, door: RegExp) => steps.some((step) => door.test(step.uses ?? ''))
  const writes = ({ steps }: Job) =>
    steps.some((step) => /\/restore@v1$/.test(step.uses ?? '') && JSON.stringify(step.with).includes('"apply"'))

  it('let only one backup or restore of a dataset run at a time, and none be lost', () => {
    const concerned = jobs.filter(({ job }) => uses(job, /sanity-backup@v1$/) || writes(job))
    expect(concerned.length).toBeGreaterThan(15)
    const groups = concerned.map(({ workflow, job }) => ({ name: workflow.name, ...(job.concurrency ?? workflow.concurrency) }))
    const fine = { group: expect.stringMatching(/^sanity-(abc12345|\$\{\{ matrix\.project \}\})-\S+/), queue: 'max' }
    expect(groups).toEqual(groups.map(({ name }) => ({ name, ...fine })))
  })

  it('end in their time, and have no more rights than they name', () => {
    const ours = jobs.filter(({ job }) => uses(job, /sanity-backup/))
    expect(ours.filter(({ job }) => job['timeout-minutes'] === undefined).map(({ workflow }) => workflow.name)).toEqual([])
    expect(ours.filter(({ workflow }) => workflow.permissions === undefined).map(({ workflow }) => workflow.name)).toEqual([])
  })
})
