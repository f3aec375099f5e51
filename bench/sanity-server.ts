import { realLimits } from '../test/doubles/sanity/limits.ts'
import { startSanity } from '../test/doubles/sanity/sanity.ts'

/**
 * An emulated Sanity in a process of its own, for the bench of restore: `node sanity-server.ts <documents> <bytes a document> <limits>`. It sends its
 * address to its parent, and answers `count` with how many requests of each route it got since it was asked last, and how many revisions it wrote.
 *
 * Datasets: `source` has the documents, `empty` none, `changed` all, but each hundredth otherwise, `peer` none.
 */
const [count = 0, bytes = 0, limited = 1] = process.argv.slice(2).map(Number)

/** Each document refers to one before it: eight to each, so that there are some six levels, as content has. */
function lineOf(number: number, spoiled = false): string {
  const id = `doc-${number}`
  const text = textFor(number, bytes - 230)
  const reference = number === 0 ? '' : `"parent":{"_ref":"doc-${Math.floor((number - 1) / 8)}","_type":"reference"},`
  return `{"_createdAt":"2026-01-01T00:00:00Z","_id":"${id}","_rev":"rev-${number}","_type":"type${number % 5}","_updatedAt":"2026-01-01T00:00:00Z",${reference}"text":"${text}","title":"${spoiled ? 'Spoiled' : 'Title'} ${number}"}`
}

const words = 'the quick brown fox jumps over a lazy dog and some more of what people write into a content system every day'.split(' ')

function textFor(number: number, length: number): string {
  let state = (number * 2_654_435_761) % 4_294_967_296
  let text = ''
  while (text.length < length) {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    text += `${words[Math.floor((state / 4_294_967_296) * words.length)]} `
  }
  return text
}

function* lines(isSpoiled: (number: number) => boolean = () => false): Generator<string> {
  for (let number = 0; number < count; number++) yield lineOf(number, isSpoiled(number))
}

const sanity = await startSanity({
  dataset: 'source',
  generated: { lines: () => lines(), count },
  ...(limited === 1 ? { limits: realLimits } : {}),
  projects: {
    abc12345: {
      empty: { compact: true },
      changed: { compact: true, lines: lines((number) => number % 100 === 7) },
      page: { compact: true, lines: lines((number) => number === 4242) },
      peer: { compact: true },
    },
  },
})

process.on('message', () => {
  const routes: Record<string, number> = {}
  for (const { route } of sanity.requests) routes[route] = (routes[route] ?? 0) + 1
  sanity.reset()
  process.send?.({ routes })
})
process.on('disconnect', () => process.exit(0))
process.send?.({ url: sanity.url, token: sanity.editorToken })
