/**
 * A program for Node that prints the documents of a snapshot which lie in files of their own, one a line, without a change in any of them; for whoever
 * restores one without this action. It takes the folder `snapshot/documents`. No single quotes: it stands between them in a shell.
 */
export const joinProgram = [
  'const { readdirSync, readFileSync, writeSync } = require("node:fs")',
  'for (const entry of readdirSync("snapshot/documents", { recursive: true, withFileTypes: true })) {',
  '  if (!entry.isFile()) continue',
  '  const text = readFileSync(`${entry.parentPath}/${entry.name}`, "utf8").slice(0, -1)',
  '  const line = text[1] === "\\n" ? text.replace(/("(?:[^"\\\\]+|\\\\.)*")|\\s+/g, "$1") : text',
  '  writeSync(1, `${line}\\n`)',
  '}',
].join('\n')

/** The same as a command, its output to be sent into a file. */
export const joinCommand = `node -e '${joinProgram
  .replaceAll('\n', ';')
  .replace(/\{;\s*/g, '{ ')
  .replace(/;\s*\}/g, ' }')
  .replace(/;\s+/g, '; ')}'`
