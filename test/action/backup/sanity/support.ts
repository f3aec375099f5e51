import { expect } from '@jest/globals'
import { startGithubRest } from '../../../doubles/github/github.ts'
import type { Answer } from '../../../doubles/http.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import type { Row } from '../../../sanity/errors/rows.ts'
import { type BackupRun, backUp, failureOf, startHoneypot, threeDocuments } from '../../support.ts'

/** Backs up with an answer on a route; the artifact service is one that must not be asked. */
export async function backUpWith(answer: Answer, route: 'query' | 'export') {
  await using stack = new AsyncDisposableStack()
  const sanity = stack.use(await startSanity({ documents: threeDocuments }))
  const github = stack.use(await startGithubRest())
  const artifactService = stack.use(await startHoneypot())
  sanity.fault(route, { answer })
  const run = await backUp(
    { sanity, github },
    { inputs: { destination: 'artifact, directory' }, env: { ACTIONS_RESULTS_URL: `${artifactService.url}/` } },
  )
  await run[Symbol.asyncDispose]()
  const requests = {
    query: sanity.count('query'),
    export: sanity.count('export'),
    acl: sanity.count('acl'),
    artifacts: artifactService.requests.length,
  }
  return { run, requests, times: sanity.of(route).map(({ at }) => at) }
}

export const untilQuery = (queries: number) => ({ query: queries, export: 0, acl: 0, artifacts: 0 })
export const untilExport = (exports: number) => ({ query: 1, export: exports, acl: 0, artifacts: 0 })

export function expectFailure(run: BackupRun, { code, title, fact, cure }: Row): void {
  const { exitCode, code: given, title: says, message } = failureOf(run)
  const [facts, hint] = message.split('\nHint: ')
  expect({ exitCode, code: given }).toEqual({ exitCode: 1, code })
  expect(says).toMatch(title)
  expect(facts).toMatch(fact)
  expect(hint).toMatch(cure)
}
