import { type BackupInputs, readBackup } from './backup.ts'
import { inputReader } from './reader.ts'
import type { Env } from './variables.ts'

/** The inputs of each command; `command` says which. */
export type Inputs = BackupInputs

/** Reads the inputs from an environment. Throws one `input-invalid` that names every problem, in the order of action.yml. */
export function parseInputs(env: Env): Inputs {
  const reader = inputReader(env)
  const inputs = readBackup(reader)
  reader.finish()
  return inputs
}

/** The names of the inputs that are declared for the command, whatever their values. */
export function declaredInputs(env: Env): readonly string[] {
  const reader = inputReader(env)
  readBackup(reader)
  return reader.names()
}
