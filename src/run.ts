import { abandonBackup, backup } from './commands/backup/backup.ts'
import { verify } from './commands/verify/verify.ts'
import { commandOf, parseInputs } from './inputs/inputs.ts'
import { backupEnding, backupFailure } from './report/backup.ts'
import type { Ending } from './report/ending.ts'
import { verifyEnding, verifyFailure } from './report/verify.ts'
import { parseRunner } from './runner.ts'
import type { Tools } from './tools.ts'

/** Reads the inputs, runs the command that they name, and gives its ending. Throws what the command throws, and `input-invalid`. */
export async function run(env: NodeJS.ProcessEnv, tools: Tools): Promise<Ending> {
  const runner = parseRunner(env)
  const inputs = parseInputs(env)
  const address = { repository: runner.repository, runId: runner.run?.runId ?? '', serverUrl: runner.serverUrl }
  switch (inputs.command) {
    case 'backup': {
      const outcome = await backup(inputs, runner, tools)
      // The watchdog hears of a failure as soon as a run is given up: such a run is red, even if everything was stored in that moment.
      return backupEnding({ outcome, cancelled: tools.signal.aborted ? tools.signal.reason : undefined }, address)
    }
    case 'verify':
      return verifyEnding(await verify(inputs, runner, tools))
  }
}

/** The ending of a run that threw, whatever it threw. */
export function failed(thrown: unknown, env: NodeJS.ProcessEnv): Ending {
  return commandOf(env) === 'verify' ? verifyFailure(thrown) : backupFailure(thrown)
}

/** Removes what a run in this process has still lying about: for the process's last moment. Cannot wait for anything. */
export function abandon(): void {
  abandonBackup()
}
