import { BackupError, findSystemCode, messageOf, reworded } from '../../errors.ts'
import type { Forge } from '../../github/forge.ts'
import { quoteOutside } from '../../text.ts'

/** Whether it was the last step of an upload that failed: then the artifact may be finished all the same. */
export function isUnfinished(error: unknown): boolean {
  return messageOf(error).includes('FinalizeArtifact')
}

/** The error for a name whose first request was answered into the void, so that it is ours and still cannot be used. */
export function lostCreation({ cause }: BackupError, name: string): BackupError {
  return new BackupError({
    code: 'artifact-failed',
    title: 'The artifact could not be stored',
    message: `The service made the artifact "${quoteOutside(name, 200)}", but its answer was lost, and it lets nobody use that name again in this run.`,
    hint: 'Run the job again; see githubstatus.com.',
    cause,
  })
}

/** The same error, with the word that an artifact which must not be trusted may still be there. */
export function mayStillBeThere(error: BackupError, name: string): BackupError {
  return reworded(error, {
    message: `${error.message} The artifact "${quoteOutside(name, 200)}" could not be removed and may still be there.`,
    hint: `Do not trust that artifact: delete it on the page of this workflow run. ${error.hint}`,
  })
}

/** The same error, with the word that the artifact is gone. */
export function removedAgain(error: BackupError): BackupError {
  return reworded(error, { message: `${error.message} The artifact was removed again.` })
}

/** The same error, for an artifact of which nobody knows whether it was finished. */
export function neverSeen(error: BackupError): BackupError {
  return reworded(error, {
    message: `${error.message} No artifact of that name was seen afterwards.`,
    hint: `Should one turn up on the page of this workflow run, do not trust it. ${error.hint}`,
  })
}

/** The error for a step that was given no artifact service. */
export function noService(): BackupError {
  return new BackupError({
    code: 'artifact-failed',
    title: 'There is no artifact service here',
    message: 'The runner gave this step no access to the artifact service (ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN are not set).',
    hint: 'Run this as an action with `uses:` in a workflow, not from a `run:` step; elsewhere use `destination: directory`.',
  })
}

/** The error for a server that has no artifact service of this kind. */
export function unsupportedServer(forge: Exclude<Forge, 'github'>, serverUrl: string): BackupError {
  return new BackupError({
    code: 'artifact-failed',
    title: 'This server has no artifact service of this kind',
    message: `This workflow runs on ${forgeNames[forge]} ("${quoteOutside(serverUrl, 100)}"), and artifacts of this kind exist on github.com and *.ghe.com alone.`,
    hint: 'Use `destination: directory`, and store the folder with the server’s own means, for example actions/upload-artifact v3.',
  })
}

const forgeNames = { enterprise: 'GitHub Enterprise Server', gitea: 'Gitea', forgejo: 'Forgejo' } as const

/** What it means when the artifact client could not upload. */
export function uploadError(error: unknown, name: string): BackupError {
  const text = messageOf(error)
  const says = quoteOutside(text, 500)
  if (/\(409\)|already exists/i.test(text) && !isUnfinished(error)) {
    return new BackupError({
      code: 'artifact-name-taken',
      title: 'The artifact name is taken',
      message: `This workflow run has an artifact named "${quoteOutside(name, 200)}" already, and artifacts are never overwritten.`,
      hint: 'Give each step its own `artifact-name` or `label`; in a matrix put what differs into it.',
      cause: error,
    })
  }
  if (/insufficient usage|storage quota/i.test(text)) {
    return new BackupError({
      code: 'artifact-quota',
      title: 'The artifact storage is full',
      message: `GitHub takes no more artifacts for this account: its storage quota is used up. GitHub says: "${says}"`,
      hint: 'Lower `retention-days`, or raise the spending limit under Settings, Billing. GitHub counts what was stored over the whole month: deleting artifacts now helps only slowly. Until then use `destination: directory` and store the folder elsewhere.',
      cause: error,
    })
  }
  const network = findSystemCode(error) ?? /Unable to make request: ([A-Z_]+)/.exec(text)?.[1]
  return new BackupError({
    code: 'artifact-failed',
    title: 'The artifact could not be stored',
    message: network
      ? `The artifact service cannot be reached from this runner (${quoteOutside(network, 40)}). It says: "${says}"`
      : `The upload of artifact "${quoteOutside(name, 200)}" failed: ${says}`,
    hint: 'Run the job again; see githubstatus.com. A self-hosted runner must reach *.actions.githubusercontent.com and *.blob.core.windows.net.',
    cause: error,
  })
}
