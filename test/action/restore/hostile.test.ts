import { expect, it } from '@jest/globals'
import type { SanityDocument } from '../../doubles/sanity/data/store.ts'
import { startSanity } from '../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../support/process.ts'
import { backUp } from '../support.ts'
import { applying, restoreInto } from './support.ts'

const nasty = '</details>\n::error::x\n##[error]x [a](javascript:x) @all \u202e'

it('ids and types that act on a log or a page, or hold the very token, do no harm', async () => {
  await using temp = await makeTempFolder('hostile')
  await using empty = await startSanity()
  const token = empty.editorToken
  const created = (id: string, type: string, more: object = {}): SanityDocument => ({
    _id: id,
    _type: type,
    _createdAt: '2026-01-01T00:00:00Z',
    ...more,
  })
  const documents = [
    created(nasty, nasty),
    created(`holds-${token}`, 'post'),
    created('refers', 'post', { to: { _type: 'reference', _ref: `gone-${token}` } }),
  ]
  await using source = await startSanity({ documents })
  await using backup = await backUp({ sanity: source }, { path: temp.path })
  expect(backup.code).toBeUndefined()

  // That no token is anywhere, and that the runner carries nothing else out, is looked at for every run.
  await using run = await restoreInto({ sanity: empty }, { inputs: { path: temp.path, ...applying(), 'on-blocked': 'warn' } })
  expect(run.error).toBeUndefined()
  expect(run.outputs).toMatchObject({ status: 'restored', 'create-count': '1', 'blocked-count': '2' })
  expect(run.plan.map(({ action, id }) => `${action} ${id}`).filter((row) => row.includes('***'))).toEqual(['create holds-***'])
  expect(run.journal.flatMap(({ ids }) => ids)).toEqual(['holds-***'])
  expect(empty.store().has(`holds-${token}`)).toBe(true)
  expect(run.summary).not.toContain('</details>\n::')
})
