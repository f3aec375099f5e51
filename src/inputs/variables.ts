/** The environment variables that hold inputs, as the runner sets them. */

export type Env = Readonly<Record<string, string | undefined>>

/** The environment variables that name a proxy, as undici reads them: lower case first. */
export const proxyVariables = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'] as const

/** The variable that holds an input: actions/runner src/Runner.Worker/Handlers/Handler.cs. */
export function variableOf(input: string): string {
  return `INPUT_${input.replaceAll(' ', '_').toUpperCase()}`
}

/** An input's value as `@actions/core` reads it: upper case, spaces to underscores, trimmed. Empty if there is none. */
export function inputOf(env: Env, input: string): string {
  return (env[variableOf(input)] ?? '').trim()
}

/** Whether an input was given, and white space is all that it holds: several empty secrets or variables, one a line, come so. */
export function isBlank(env: Env, input: string): boolean {
  return (env[variableOf(input)] ?? '') !== '' && inputOf(env, input) === ''
}

/** Inputs that the environment holds though they are not among the declared ones, as a workflow would write them. */
export function findUndeclared(env: Env, declared: readonly string[]): string[] {
  const known = new Set(declared.map(variableOf))
  return Object.keys(env)
    .filter((name) => name.startsWith('INPUT_') && env[name] !== undefined && !known.has(name))
    .map((name) => name.slice('INPUT_'.length).toLowerCase())
    .toSorted()
}
