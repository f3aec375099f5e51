import { BackupError } from '../errors.ts'
import { holdsPieceOf } from '../redact.ts'
import { quoteOutside } from '../text.ts'
import { emptyToken, type Kind } from './kinds/kinds.ts'
import { findHeartbeatUrl, heartbeatInput, minTokenLength, tokenOf } from './secrets.ts'
import { nearest } from './spelling.ts'
import { type Env, findUndeclared, inputOf } from './variables.ts'

/** Reads inputs one by one and collects what is wrong with them. An input is declared by being read. */
export type InputReader = {
  readonly env: Env
  /** Reads an input, as its kind says; a wrong one gives a harmless value, and its problem is kept. */
  readonly read: <Value>(input: string, kind: Kind<Value>) => Value
  /** Keeps a problem of an input that was read. */
  readonly refuse: (input: string, says: string) => void
  /** Whether an input has a problem already: what only follows from that is not worth a line. */
  readonly isWrong: (input: string) => boolean
  /** The names of the inputs that were read, in that order. */
  readonly names: () => readonly string[]
  /** Refuses inputs that were not read, then throws one `input-invalid` with all problems, in the order in which the inputs were read. */
  readonly finish: () => void
}

type Problem = { readonly input: string; readonly says: string }

/** Makes a reader of the inputs in an environment. */
export function inputReader(env: Env): InputReader {
  const names: string[] = []
  const problems: Problem[] = []
  const token = tokenOf(env)
  const refuse = (input: string, says: string): void => void problems.push({ input, says })
  return {
    env,
    read: (input, kind) => {
      names.push(input)
      const given = inputOf(env, input)
      // Inputs go into names, URLs and the manifest, where the token must never be.
      if (input !== 'token' && token.length >= minTokenLength && holdsPieceOf(token, given)) {
        refuse(input, 'holds the Sanity token, which belongs in `token` alone')
      }
      return kind(given, (says) => refuse(input, says))
    },
    refuse,
    isWrong: (name) => problems.some(({ input }) => input === name),
    names: () => names,
    finish: () => {
      // The runner only warns of them. Their values are never quoted: they may be secrets.
      const undeclared = findUndeclared(env, names)
      for (const input of undeclared) {
        refuse(quoteOutside(input, 80), `is not an input of this action. Did you mean \`${nearest(input, names)}\`?`)
      }
      const unheard = findHeartbeatUrl(env) === undefined && undeclared.some((input) => nearest(input, names) === heartbeatInput)
      if (problems.length > 0) throw invalid(problems, { env, names, misspelt: undeclared.length > 0, unheard })
    },
  }
}

/** Whoever writes needs more than who reads. */
function secretHint(env: Env): string {
  const writes = inputOf(env, 'command') === 'restore' && inputOf(env, 'mode') === 'apply'
  const [secret, role] = writes ? ['SANITY_RESTORE_TOKEN', 'Editor'] : ['SANITY_AUTH_TOKEN', 'Viewer']
  return `Set the secret ${secret} in the repository: Settings, Secrets and variables, Actions, New repository secret. Give it a robot token with the ${role} role, from sanity.io/manage. Pass it to this step as \`token: \${{ secrets.${secret} }}\`.`
}

/** The page that lists the inputs of a command. */
function pageOf(env: Env): string {
  const command = inputOf(env, 'command')
  return command === 'verify' || command === 'restore' ? `The page docs/${command}.md` : 'The README'
}

type Names = {
  readonly env: Env
  /** Of the inputs that were read. */
  readonly names: readonly string[]
  readonly misspelt: boolean
  /** Whether the URL of the watchdog came under another name. */
  readonly unheard: boolean
}

function invalid(problems: readonly Problem[], { env, names, misspelt, unheard }: Names): BackupError {
  const lines = [...names, undefined].flatMap((name) =>
    problems
      .filter(({ input }) => (name === undefined ? !names.includes(input) : input === name))
      .map(({ input, says }) => `${input}: ${says}`),
  )
  return new BackupError({
    code: 'input-invalid',
    title: problems.length === 1 ? 'An input is not valid' : `${problems.length} inputs are not valid`,
    message: lines.join('\n'),
    hint: problems.every(({ says }) => says === emptyToken)
      ? secretHint(env)
      : `Correct the \`with:\` block of this step. ${pageOf(env)} lists every input with its meaning and default.${misspelt ? ' If you set a variable of this name with `env:`, give it a name that does not begin with INPUT_.' : ''}${unheard ? ' The watchdog was not told of this failure: only the URL in `heartbeat-url` is ever requested.' : ''}`,
  })
}
