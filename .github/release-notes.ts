import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** `npm run release-notes -- v1.2.3` prints what CHANGELOG.md says of a version. Fails if package.json or the changelog is of another one. */

const root = resolve(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

try {
  process.stdout.write(`${notesOf(process.argv[2] ?? '')}\n`)
} catch (error) {
  process.stderr.write(`${Error.isError(error) ? error.message : String(error)}\n`)
  process.exitCode = 1
}

function notesOf(tag: string): string {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  if (tag !== `v${version}`) {
    throw new Error(
      `The tag is "${tag}", and package.json says "${version}". Set the version there first: npm version --no-git-tag-version <version>.`,
    )
  }
  const [heading = '', ...lines] =
    sectionsOf(read('CHANGELOG.md'))
      .find((section) => section.startsWith(`${version} `))
      ?.split('\n') ?? []
  if (!/ - \d{4}-\d{2}-\d{2}$/.test(heading)) {
    throw new Error(`CHANGELOG.md has no heading "## ${version} - <date>"${heading ? `, but "## ${heading}"` : ''}.`)
  }
  return lines.join('\n').trim()
}

function sectionsOf(changelog: string): string[] {
  return changelog.split(/^## /m).slice(1)
}
