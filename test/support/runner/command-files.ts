/**
 * Parses GITHUB_OUTPUT, GITHUB_ENV or GITHUB_STATE with the runner's own rules and errors (actions/runner FileCommandManager.cs).
 */
export function parseCommandFile(text: string): Record<string, string> {
  const values: [string, string][] = []
  let rest = text
  while (rest.length > 0) {
    const [line = '', after] = cutLine(rest)
    rest = after ?? ''
    if (line === '') continue
    const equals = line.indexOf('=')
    const heredoc = line.indexOf('<<')
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      values.push([nameOf(line.slice(0, equals), line), line.slice(equals + 1)])
      continue
    }
    if (heredoc < 0) throw new Error(`Invalid format '${line}'`)
    const name = nameOf(line.slice(0, heredoc), line)
    const delimiter = line.slice(heredoc + 2)
    if (delimiter === '') throw new Error(`Invalid format '${line}'. Delimiter must not be empty`)
    const lines: string[] = []
    for (;;) {
      if (rest === '') throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`)
      const [next = '', afterNext] = cutLine(rest)
      if (afterNext === undefined) throw new Error('Invalid value. EOF marker missing new line.')
      rest = afterNext
      if (next === delimiter) break
      lines.push(next)
    }
    values.push([name, lines.join('\n')])
  }
  return Object.fromEntries(values)
}

function nameOf(name: string, line: string): string {
  if (name === '') throw new Error(`Invalid format '${line}'. Name must not be empty`)
  return name
}

function cutLine(text: string): [string, string | undefined] {
  const end = text.indexOf('\n')
  return end < 0 ? [text, undefined] : [text.slice(0, end), text.slice(end + 1)]
}
