import type { Git } from '../command.ts'

/** Fetches blobs by their names, all with one request, as git itself does where some are missing. */
export async function fetchBlobs(git: Git, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  const input = async function* () {
    for (const name of names) yield Buffer.from(`${name}\n`)
  }
  const quiet = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', '--recurse-submodules=no']
  // Without negotiation: that we have a commit does not mean that we have its blobs.
  await git.run(['-c', 'fetch.negotiationAlgorithm=noop', 'fetch', ...quiet, '--filter=blob:none', '--stdin', 'origin'], {
    input: input(),
  })
}
