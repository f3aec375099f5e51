import { afterEach, expect, it } from '@jest/globals'
import { warnOfClearSafety } from '../../../src/commands/restore/safety.ts'
import type { RestoreInputs } from '../../../src/inputs/restore.ts'
import { exampleManifest } from '../../support/example.ts'
import { stepTools } from '../backup/tools.ts'
import { type Scene, startScene } from './scene.ts'

const post = (id: string) => ({ _id: id, _type: 'post', _createdAt: '2026-01-01T00:00:00Z', _updatedAt: '2026-01-02T00:00:00Z' })

let scene: Scene | undefined
afterEach(async () => await scene?.[Symbol.asyncDispose]())

async function changed(inputs: Readonly<Record<string, string>> = {}): Promise<Scene> {
  scene = await startScene({ documents: [post('a'), post('b'), post('secrets.mux')] as never })
  await scene.backUp(inputs)
  await scene.sanity.edit([{ patch: { id: 'a', set: { title: 'Other' } } }])
  return scene
}

it('what `types` and `ids` name and no side has is told by its name', async () => {
  const { plan, logged } = await changed()
  await plan({ types: 'post, pots', ids: 'a, c*' })
  expect(logged.filter((line) => line.includes('check the spelling'))).toEqual([
    'No document, neither in the snapshot nor in the target, is meant by "pots", "c*" in `types` or `ids`: check the spelling.',
  ])
})

it('what `types` and `ids` name and one side has needs no word', async () => {
  const { plan, logged } = await changed()
  await plan({ types: 'post', ids: 'b, a' })
  expect(logged.filter((line) => line.includes('check the spelling'))).toEqual([])
})

it('what the snapshot leaves out is not said to be left out by inputs, and how much was written is said', async () => {
  const { apply, logged } = await changed({ 'exclude-ids': 'secrets.**' })
  logged.length = 0
  await apply()
  expect(logged).toContain('Left out of what is kept of the target, as the snapshot leaves it out: 1 document')
  expect(logged.join('\n')).not.toContain('exclude-ids')
  expect(logged).toContain('Wrote 1 document in 1 transaction')
})

const encryption = { format: 'age/v1', recipients: ['age1example'] } as const

it.each([
  { name: 'an encrypted snapshot', source: { ...exampleManifest, encryption }, change: {}, warnings: 1 },
  { name: 'a plain one', source: exampleManifest, change: {}, warnings: 0 },
  { name: 'a plan', source: { ...exampleManifest, encryption }, change: { mode: 'plan' }, warnings: 0 },
  { name: 'no safety snapshot', source: { ...exampleManifest, encryption }, change: { safetySnapshot: false }, warnings: 0 },
] as const)('a safety snapshot in the clear is warned of $warnings times for $name', ({ source, change, warnings }) => {
  const { tools, logged } = stepTools()
  const inputs = { mode: 'apply', safetySnapshot: true, encryptTo: undefined, ...change } as unknown as RestoreInputs
  warnOfClearSafety(inputs, source as never, tools)
  expect(logged.filter((line) => line.startsWith('warning: The snapshot is encrypted'))).toHaveLength(warnings)
})
