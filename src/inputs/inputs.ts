import { type BackupInputs, readBackup } from './backup.ts'
import { type InputReader, inputReader } from './reader.ts'
import { type RestoreInputs, readRestore } from './restore.ts'
import { type Env, inputOf } from './variables.ts'
import { readVerify, type VerifyInputs } from './verify.ts'

/** The inputs of each command; `command` says which. */
export type Inputs = BackupInputs | VerifyInputs | RestoreInputs

/** What each door of the action does. */
export type Command = Inputs['command']

/** The command that an environment asks for: the inner doors name theirs in the default of an input, the first one has none. */
export function commandOf(env: Env): Command {
  const named = inputOf(env, 'command')
  return named === 'verify' || named === 'restore' ? named : 'backup'
}

/** Reads the inputs from an environment. Throws one `input-invalid` that names every problem, in the order of the command's action.yml. */
export function parseInputs(env: Env): Inputs {
  const reader = inputReader(env)
  const inputs = readEach(env, reader)
  reader.finish()
  return inputs
}

/** The names of the inputs that are declared for the command, whatever their values. */
export function declaredInputs(env: Env): readonly string[] {
  const reader = inputReader(env)
  readEach(env, reader)
  return reader.names()
}

function readEach(env: Env, reader: InputReader): Inputs {
  const readers = { backup: readBackup, verify: readVerify, restore: readRestore }
  return readers[commandOf(env)](reader)
}
