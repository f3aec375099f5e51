type Command = { readonly name: string; readonly properties: Readonly<Record<string, string>>; readonly data: string }

/** What the runner makes of one line: the command that it carries out, and what it shows. */
export type RunnerLine = {
  readonly command: Command | undefined
  readonly shown: string | undefined
  /** Token of a `stop-commands` that is in force. */
  readonly stopped: string | undefined
}

/** Commands that the runner knows (actions/runner ActionCommandManager.cs); others are ordinary text. */
const KNOWN = new Set([
  'error',
  'warning',
  'notice',
  'debug',
  'group',
  'endgroup',
  'add-mask',
  'add-matcher',
  'remove-matcher',
  'echo',
  'stop-commands',
  'set-output',
  'save-state',
  'set-env',
  'add-path',
])

/** How the runner shows the commands that it does not swallow. */
const SHOWN: Readonly<Record<string, (command: Command) => string>> = {
  error: ({ data }) => `Error: ${data}`,
  warning: ({ data }) => `Warning: ${data}`,
  notice: ({ data }) => `Notice: ${data}`,
  group: ({ data }) => `▾ ${data}`,
}

/** Reads a log line as the runner does (actions/runner ActionCommand.cs): `::name …::data` at its start, `##[name …]data` anywhere. */
export function readLine(line: string, stopped: string | undefined): RunnerLine {
  if (stopped !== undefined) return { command: undefined, shown: line, stopped: line.trim() === `::${stopped}::` ? undefined : stopped }
  const command = parseCommand(line)
  if (!command) return { command, shown: line, stopped }
  if (command.name === 'stop-commands') return { command, shown: undefined, stopped: command.data }
  return { command, shown: SHOWN[command.name]?.(command), stopped }
}

function parseCommand(line: string): Command | undefined {
  const current = /^::([^\s:]+)(?: (.*?))?::(.*)$/s.exec(line.trimStart())
  const legacy = current ? undefined : /##\[([^\s\]]+)(?: ([^\]]*))?\](.*)$/s.exec(line)
  const [, rawName, rawProperties = '', rawData = ''] = current ?? legacy ?? []
  const name = rawName?.toLowerCase() ?? ''
  if (!KNOWN.has(name)) return undefined
  const pairs = rawProperties.split(current ? ',' : ';').flatMap((pair) => {
    const equals = pair.indexOf('=')
    return equals < 0 ? [] : [[pair.slice(0, equals).trim(), unescapeProperty(pair.slice(equals + 1))] as const]
  })
  return { name, properties: Object.fromEntries(pairs), data: unescapeData(rawData) }
}

const unescapeData = (text: string): string => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')

function unescapeProperty(text: string): string {
  const special = text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%3A', ':').replaceAll('%2C', ',')
  return special.replaceAll('%25', '%')
}

type Mask = { add(secret: string): void; apply(text: string): string }

/** Masks as the runner does: the value, each of its lines, and the encodings of actions/runner HostContext.cs. */
export function makeMask(secrets: readonly string[]): Mask {
  const values = new Set<string>()
  const add = (secret: string) => {
    for (const value of [secret, ...secret.split(/\r?\n/).map((line) => line.trim())]) {
      if (value !== '') for (const form of maskedForms(value)) if (form !== '') values.add(form)
    }
  }
  for (const secret of secrets) add(secret)
  return {
    add,
    // Longer ones first, so that a form that holds another one goes as a whole.
    apply: (text) => [...values].sort((a, b) => b.length - a.length).reduce((masked, value) => masked.replaceAll(value, '***'), text),
  }
}

function maskedForms(value: string): string[] {
  const base64 = (from: number) => Buffer.from(value).subarray(from).toString('base64')
  const xml = value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
  return [
    value,
    base64(0),
    base64(1),
    base64(2),
    value.replaceAll('"', '\\"'),
    value.replaceAll("'", "''"),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    xml,
    ...(value.length > 8 ? [value.replace(/^"(.*)"$/, '$1')] : []),
  ]
}
