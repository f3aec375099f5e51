import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fillSection } from './section.ts'

/**
 * `npm run owner -- acme` writes the account that publishes the action into the pages, in place of OWNER, and takes out the one paragraph that asks
 * the reader for it. Another folder of pages can be named as a second argument.
 */

const [, , owner = '', root = resolve(import.meta.dirname, '..')] = process.argv

if (!/^[a-z\d](?:[a-z\d-]{0,37}[a-z\d])?$/i.test(owner)) {
  process.stderr.write('Name the account on GitHub: npm run owner -- <account>\n')
  process.exitCode = 1
} else {
  for (const page of globSync(['README.md', 'docs/*.md'], { cwd: root })) {
    const path = join(root, page)
    const before = readFileSync(path, 'utf8')
    const asked = before.includes('<!-- owner:begin -->') ? fillSection(before, 'owner', '') : before
    writeFileSync(path, asked.replaceAll('OWNER/sanity-backup', `${owner}/sanity-backup`))
  }
}
