import { BackupError } from '../../src/errors.ts'
import { parseInputs } from '../../src/inputs/inputs.ts'

type Values = Readonly<Record<string, string>>

/** Reads inputs as the runner hands them over, on top of the defaults of a command's action.yml. */
export function givenTo(defaults: Values) {
  const env = (inputs: Values): Record<string, string> =>
    Object.fromEntries(Object.entries({ ...defaults, ...inputs }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]))
  return {
    env,
    /** What is wrong with them, a line each. */
    problemsOf: (inputs: Values): string[] => {
      try {
        parseInputs(env(inputs))
        return []
      } catch (error) {
        if (error instanceof BackupError && error.code === 'input-invalid') return error.message.split('\n')
        throw error
      }
    },
  }
}
