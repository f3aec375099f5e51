import { abandonBackup, backup } from './commands/backup/backup.ts'
import { restore } from './commands/restore/restore.ts'
import { verify } from './commands/verify/verify.ts'
import { commandOf, parseInputs } from './inputs/inputs.ts'
import { backupEnding, backupFailure } from './report/backup/backup.ts'
import type { Context } from './report/backup/context.ts'
import type { Ending } from './report/ending.ts'
import { docsAddress } from './report/links.ts'
import { restoreEnding, restoreFailure } from './report/restore/restore.ts'
import { verifyEnding, verifyFailure } from './report/verify/verify.ts'
import { parseRunner, type Runner } from './runner.ts'
import type { Tools } from './tools.ts'

/** Reads the inputs, runs the command that they name, and gives its ending. Throws `input-invalid`. */
export async function run(env: NodeJS.ProcessEnv, tools: Tools): Promise<Ending> {
  const runner = parseRunner(env)
  const inputs = parseInputs(env)
  switch (inputs.command) {
    case 'backup': {
      const made = await backup(inputs, runner, tools)
      const context = contextOf(env, { runner, now: tools.now(), askedDays: inputs.retentionDays })
      if (made.kind === 'failed') return backupFailure(made.error, { dataset: inputs.source.dataset, lastGood: made.lastGood }, context)
      // The watchdog hears of a failure as soon as a run is given up: such a run is red, even if everything was stored in that moment.
      return backupEnding({ outcome: made.outcome, cancelled: tools.signal.aborted ? tools.signal.reason : undefined }, context)
    }
    case 'verify':
      return verifyEnding(await verify(inputs, runner, tools), docsAddress(env))
    case 'restore':
      return restoreEnding(await restore(inputs, runner, tools), docsAddress(env))
  }
}

/** The ending of a run that threw, whatever it threw. */
export function failed(thrown: unknown, env: NodeJS.ProcessEnv): Ending {
  const docs = docsAddress(env)
  switch (commandOf(env)) {
    case 'verify':
      return verifyFailure(thrown, docs)
    case 'restore':
      return restoreFailure(thrown, docs)
    case 'backup':
      return backupFailure(thrown, {}, { docs, now: new Date() })
  }
}

type Around = { readonly runner: Runner; readonly now: Date; readonly askedDays: number | undefined }

function contextOf(env: NodeJS.ProcessEnv, { runner, now, askedDays }: Around): Context {
  const { repository, run, serverUrl, retentionDays } = runner
  const keptDays = retentionDays === undefined ? askedDays : Math.min(askedDays ?? retentionDays, retentionDays)
  return { repository, runId: run?.runId ?? '', serverUrl, docs: docsAddress(env), keptDays, now }
}

/** Removes what a run in this process has still lying about: for the process's last moment. Cannot wait for anything. */
export function abandon(): void {
  abandonBackup()
}
