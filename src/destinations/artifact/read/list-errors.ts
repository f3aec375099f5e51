import { BackupError, messageOf } from '../../../errors.ts'
import { type GithubAnswer, whyNot } from '../../../github/rest.ts'
import { quoteOutside } from '../../../text.ts'

/** The error for a list of artifacts, or an artifact, that GitHub does not hand out. */
export function notTold(answer: GithubAnswer): BackupError {
  const denied = (answer.status === 403 || answer.status === 404) && !answer.limited
  return new BackupError({
    code: 'artifact-failed',
    title: 'The artifacts could not be looked up',
    message: `The artifacts of this repository could not be looked up (${quoteOutside(whyNot(answer))}).`,
    hint: denied
      ? 'Give the job `permissions: actions: read`.'
      : 'It is looked up again the next time. If it stays so, check the runner’s network and `github-token`.',
  })
}

/** The error for an artifact whose bytes, as they came here, are not those of a zip. What is at fault is not known: it is no reason to delete it. */
export function damaged(id: number, cause: unknown): BackupError {
  return new BackupError({
    code: 'artifact-failed',
    title: 'An artifact cannot be read',
    message: `The artifact ${id} cannot be read: what came from GitHub’s storage is no whole zip (${quoteOutside(messageOf(cause), 200)}).`,
    hint: 'Run it again. If it comes back, download the artifact on the page of its workflow run. If its zip opens there, something between this runner and *.blob.core.windows.net changes what is sent. If not, do not rely on that snapshot.',
    cause,
  })
}

/** The error for an artifact that GitHub lists and does not have. */
export function notThere(id: number, why: string): BackupError {
  return new BackupError({
    code: 'artifact-failed',
    title: 'An artifact is not there',
    message: `The artifact ${id} is listed, and GitHub does not hand it out (${quoteOutside(why, 200)}).`,
    hint: 'If it was deleted a moment ago, there is nothing to do. Otherwise do not rely on that snapshot.',
  })
}

/** The error for an artifact that is a zip, and no snapshot. */
export function withoutManifest(id: number): BackupError {
  return new BackupError({
    code: 'snapshot-invalid',
    title: 'An artifact is no snapshot',
    message: `The artifact ${id} holds no manifest.json, so it is no snapshot.`,
    hint: 'Look at it: if another step stores artifacts under this name, give that step another one. If not, do not rely on the artifact.',
  })
}

/** The error for an artifact that GitHub names, and whose storage does not hand it out. */
export function notHandedOut(id: number, why: string, cause?: unknown): BackupError {
  return new BackupError({
    code: 'artifact-failed',
    title: 'An artifact could not be fetched',
    message: `The artifact ${id} could not be fetched from GitHub’s storage (${quoteOutside(why, 200)}).`,
    hint: 'Run it again, and see githubstatus.com. If it comes back, check what stands between this runner and *.blob.core.windows.net: a proxy there must pass the header `Range` on, and the answer back.',
    cause,
  })
}

/** The error for a search that ended before its end: `after` says what it did until then. */
export function notAllSeen(after: string, hint: string): BackupError {
  return new BackupError({
    code: 'artifact-failed',
    title: 'Not all artifacts were looked at',
    message: `The search for artifacts ended ${after}, before all were looked at.`,
    hint,
  })
}

/** The error for a workflow run that GitHub does not know. */
export function noSuchRun(runId: string, repository: string): BackupError {
  return new BackupError({
    code: 'snapshot-missing',
    title: 'There is no such workflow run',
    message: `GitHub knows no workflow run ${runId} in ${quoteOutside(repository, 200)}.`,
    hint: 'Correct `run-id`: it stands at the end of the address of the run’s page. The run must be one of this repository, and the job needs `permissions: actions: read`.',
  })
}

/** The error for an artifact whose retention has ended since it was found. */
export function goneSince(name: string): BackupError {
  return new BackupError({
    code: 'snapshot-missing',
    title: 'The artifact is gone',
    message: `The artifact "${quoteOutside(name, 200)}" was found, and GitHub no longer hands it out: it was deleted, or has expired in this moment.`,
    hint: 'Run the job again: it takes the newest that is there now.',
  })
}
