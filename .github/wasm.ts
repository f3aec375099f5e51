import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import makeWabt from 'wabt'

/** `npm run wasm` writes what src/sanity/quick-scan.wat compiles to into quick-scan-code.ts; with `--check` it only compares. */

const source = resolve(import.meta.dirname, '../src/sanity/quick-scan.wat')
const target = resolve(import.meta.dirname, '../src/sanity/quick-scan-code.ts')

const wabt = await makeWabt()
const module = wabt.parseWat(source, readFileSync(source, 'utf8'), { simd: true })
module.validate()
const code = Buffer.from(module.toBinary({}).buffer).toString('base64')
const text = `/** Made from quick-scan.wat by \`npm run wasm\`. */\nexport const code =\n  '${code}'\n`
if (!process.argv.includes('--check')) writeFileSync(target, text)
else if (readFileSync(target, 'utf8') !== text) {
  process.stderr.write('src/sanity/quick-scan-code.ts is not what quick-scan.wat compiles to. Run `npm run wasm` and commit the result.\n')
  process.exitCode = 1
}
