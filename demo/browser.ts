import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { marked } from 'marked'

const { resolve } = createRequire(import.meta.url)
const run = promisify(execFile)
const WIDTH = 1000

/** What a browser has drawn, as it says itself. */
export type Drawn = {
  readonly height: number
  readonly bars: number
  /** What went wrong: a picture that Mermaid refused, raw Markdown among the words, something wider than the page. */
  readonly wrong: readonly string[]
}

/** Draws Markdown as GitHub shows it, in a headless Chromium, into a PNG. `page` is the file for the page on the way. */
export async function draw(markdown: string, { page, png }: { readonly page: string; readonly png: string }): Promise<Drawn> {
  await writeFile(page, await pageOf(markdown))
  const { stdout } = await chromium(['--dump-dom', `file://${page}`])
  const [, json] = /<body data-drawn="([^"]+)"/.exec(stdout) ?? []
  if (json === undefined) throw new Error('The page was not drawn')
  const drawn = JSON.parse(json.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')) as Drawn
  await chromium([`--window-size=${WIDTH},${drawn.height}`, `--screenshot=${png}`, `file://${page}`])
  return drawn
}

async function chromium(args: readonly string[]): Promise<{ stdout: string }> {
  const common = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    '--virtual-time-budget=20000',
    `--window-size=${WIDTH},900`,
  ]
  return await run('chromium', [...common, ...args], { timeout: 120_000, maxBuffer: 64 * 1024 * 1024 })
}

async function pageOf(markdown: string): Promise<string> {
  const css = await readFile(resolve('github-markdown-css/github-markdown-light.css'), 'utf8')
  const html = (await marked.parse(markdown, { gfm: true })).replaceAll(
    '<pre><code class="language-mermaid">',
    '<pre><code class="mermaid">',
  )
  return `<!doctype html><meta charset="utf-8"><style>${css}
body { margin: 0; padding: 24px } .markdown-body { max-width: ${WIDTH - 48}px } pre:has(.mermaid) { background: none; padding: 0 }</style>
<body><article class="markdown-body">${html}</article>
<script src="file://${resolve('mermaid/dist/mermaid.min.js')}"></script>
<script>(${look.toString()})()</script></body>`
}

/** Runs in the page. */
async function look(): Promise<void> {
  const { document, mermaid } = globalThis as unknown as Page
  const wrong: string[] = []
  mermaid.initialize({ startOnLoad: false })
  await mermaid.run({ querySelector: '.mermaid' }).catch((error: unknown) => wrong.push(`Mermaid: ${String(error)}`))
  const words = document.querySelector('article').cloneNode(true)
  for (const each of words.querySelectorAll('code, pre, svg')) each.remove()
  const raw = /\*\*|`|\]\(|\|\s*---|^#+ /m.exec(words.textContent)
  if (raw) wrong.push(`raw Markdown: ${words.textContent.slice(raw.index, raw.index + 60)}`)
  const { scrollWidth, clientWidth, scrollHeight } = document.documentElement
  if (scrollWidth > clientWidth) wrong.push(`wider than the page: ${scrollWidth} px`)
  for (const table of document.querySelectorAll('table')) if (table.scrollWidth > table.clientWidth + 1) wrong.push('a table overflows')
  const bars = document.querySelectorAll('svg .plot rect').length
  const height = Math.ceil(document.querySelector('article').scrollHeight + 48) || scrollHeight
  document.body.setAttribute('data-drawn', JSON.stringify({ height, bars, wrong }))
}

type Node = {
  readonly textContent: string
  readonly scrollWidth: number
  readonly clientWidth: number
  readonly scrollHeight: number
  readonly cloneNode: (deep: boolean) => Node
  readonly remove: () => void
  readonly setAttribute: (name: string, value: string) => void
  readonly querySelector: (selector: string) => Node
  readonly querySelectorAll: (selector: string) => readonly Node[]
}

type Page = {
  readonly document: Node & { readonly body: Node; readonly documentElement: Node }
  readonly mermaid: {
    readonly initialize: (options: object) => void
    readonly run: (options: object) => Promise<void>
  }
}
