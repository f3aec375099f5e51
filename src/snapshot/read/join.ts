/**
 * A program for Node that prints the documents of a snapshot which lie in files of their own, one a line, without a change in any of them; for whoever
 * restores one without this action. It takes the folder `snapshot`, and prints nothing unless they are the documents that its manifest describes: git
 * and disks have settings that change files. No single quotes: it stands between them in a shell.
 */
export const joinProgram = [
  'const { createHash } = require("node:crypto")',
  'const { readdirSync, readFileSync, writeSync } = require("node:fs")',
  'const { count, contentDigest } = JSON.parse(readFileSync("snapshot/manifest.json", "utf8")).documents',
  'function* lines() {',
  '  for (const entry of readdirSync("snapshot/documents", { recursive: true, withFileTypes: true })) {',
  '    if (!entry.isFile()) continue',
  '    const text = readFileSync(`${entry.parentPath}/${entry.name}`, "utf8").slice(0, -1)',
  '    yield text[1] === "\\n" ? text.replace(/("(?:[^"\\\\]+|\\\\.)*")|\\s+/g, "$1") : text',
  '  }',
  '}',
  'let files = 0',
  'let sum = 0n',
  'for (const line of lines()) {',
  '  files++',
  '  sum += BigInt("0x" + createHash("sha256").update(line).digest("hex"))',
  '}',
  'const digest = "sumsha256:" + BigInt.asUintN(256, sum).toString(16).padStart(64, "0")',
  'if (files === count && digest === contentDigest) {',
  '  for (const line of lines()) writeSync(1, line + "\\n")',
  '} else {',
  '  console.error(`Nothing was joined: ${files} files, which are not the ${count} documents of the manifest. git or the disk has changed them: use git archive with -c core.autocrlf=false, on a disk that tells upper from lower case.`)',
  '  process.exitCode = 1',
  '}',
].join('\n')

/** The same as a command, its output to be sent into a file. */
export const joinCommand = `node -e '${joinProgram
  .replaceAll('\n', ';')
  .replace(/\{;\s*/g, '{ ')
  .replace(/;\s*\}/g, ' }')
  .replace(/;\s+/g, '; ')}'`
