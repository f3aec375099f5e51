import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Git, gitIn } from './command.ts'
import { readMachine } from './machine.ts'
import { gitEnvironment } from './settings.ts'

/** The server's side of a repository. */
export type Remote = {
  /** Such as `https://github.com`. */
  readonly serverUrl: string
  /** `owner/name` */
  readonly name: string
  readonly token: string
}

/** What starts git: the environment that it may see, a folder for temporary files, and what ends it. */
export type GitTools = {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly temp: string
  readonly signal: AbortSignal
}

/** A bare repository of our own that knows one remote repository as `origin`. It is gone when it is disposed. */
export type Repository = Disposable & {
  readonly git: Git
  /** The same, but it cannot fetch what is missing. */
  readonly offline: Git
  readonly folder: string
}

/**
 * Makes an empty bare repository in a folder of its own that nobody else may read. Nothing of it is shared with a checkout of the workflow.
 */
export async function makeRepository(url: string, remote: Remote, { environment, temp, signal }: GitTools): Promise<Repository> {
  const folder = mkdtempSync(join(temp, 'sanity-backup-git-'))
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  try {
    const machine = await readMachine({ environment, folder, url, signal })
    const gitThat = (fetchesMissing: boolean): Git =>
      gitIn({ folder, environment: gitEnvironment(environment, { home: folder, url, ...remote, fetchesMissing, machine }), signal })
    const git = gitThat(true)
    // Names are SHA-1 here, whatever git will take by default one day.
    await git.run(['init', '--quiet', '--bare', '--template=', '--object-format=sha1', '.'])
    return { git, offline: gitThat(false), folder, [Symbol.dispose]: remove }
  } catch (error) {
    remove()
    throw error
  }
}
