import { expect, it } from '@jest/globals'
import { BackupError } from '../src/errors.ts'
import { failed, run } from '../src/run.ts'
import { makeTools } from '../src/tools.ts'
import { rejection } from './support/feed.ts'

const log = {
  info: () => undefined,
  warning: () => undefined,
  debug: () => undefined,
  progress: () => undefined,
  fold: async <T>(_title: string, _stop: AbortSignal, work: () => Promise<T>) => await work(),
}

it('a run with bad inputs throws them, and does nothing', async () => {
  const tools = makeTools({ log, clean: (text) => text, environment: {}, signal: new AbortController().signal })
  expect(await rejection(run({ INPUT_DATASET: 'Production' }, tools))).toMatchObject({ code: 'input-invalid' })
  await tools.close()
})

it.each([
  { name: 'an error with a cure', thrown: new BackupError({ code: 'disk-full', title: 't', message: 'm', hint: 'h' }), code: 'disk-full' },
  { name: 'any other error', thrown: new TypeError('x is not a function'), code: 'unexpected' },
  { name: 'what is no error at all', thrown: 'a string', code: 'unexpected' },
])('a run that threw $name has an ending with a code', ({ thrown, code }) => {
  expect(failed(thrown, {})).toMatchObject({ outputs: {}, failure: { code } })
  expect(failed(thrown, { INPUT_COMMAND: 'verify' })).toMatchObject({ outputs: {}, failure: { code } })
})
