import { readFile, writeFile } from 'node:fs/promises'

/** Puts text between the two lines of a page that mark a section by its name. Throws if the page does not hold them once each. */
export function fillSection(page: string, name: string, content: string): string {
  const begin = `<!-- ${name}:begin -->`
  const end = `<!-- ${name}:end -->`
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from || page.indexOf(begin, from + 1) >= 0 || page.indexOf(end, to + 1) >= 0) {
    throw new Error(
      `The page must hold the line ${begin} and after it the line ${end}, each once: what is made for ${name} goes between them.`,
    )
  }
  return `${page.slice(0, from + begin.length)}\n${content}\n${page.slice(to)}`
}

/** The same in a file. */
export async function writeSection(path: string, name: string, content: string): Promise<void> {
  await writeFile(path, fillSection(await readFile(path, 'utf8'), name, content))
}
