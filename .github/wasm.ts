import { readFileSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import makeWabt from 'wabt'

/** `npm run wasm` writes what src/sanity/export/quick-scan.wat compiles to into quick-scan-code.ts; with `--check` it only compares. */

const root = resolve(import.meta.dirname, '..')
const source = resolve(root, 'src/sanity/export/quick-scan.wat')
const target = resolve(root, 'src/sanity/export/quick-scan-code.ts')

try {
  const text = `/** Made from quick-scan.wat by \`npm run wasm\`. */\nexport const code =\n  '${await compiled(readFileSync(source, 'utf8'))}'\n`
  if (!process.argv.includes('--check')) writeFileSync(target, text)
  else if (readFileSync(target, 'utf8') !== text) {
    fail('src/sanity/export/quick-scan-code.ts is not what quick-scan.wat compiles to. Run `npm run wasm` and commit the result.')
  }
} catch (error) {
  // Not left to Node, which would print the line that threw: the compiler is a single one.
  fail(Error.isError(error) ? error.message : String(error))
}

/** The module in base64. */
async function compiled(text: string): Promise<string> {
  const wabt = await makeWabt()
  const module = wabt.parseWat(relative(root, source), text, { simd: true })
  module.validate()
  return Buffer.from(module.toBinary({}).buffer).toString('base64')
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
}
