import { Worker } from 'node:worker_threads'

/** The programs that run in threads of their own: each is the file of that name beside this one, in `src` and in `dist`. */
type Program = 'prove-data' | 'digest-files'

/** `.ts` from source, `.js` in the bundle: it lies beside that, made by `npm run build`. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))

/** In MiB. What a thread works on lies outside its heap, so that a small heap is enough. */
const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 }

/** Starts a program in a thread. `workerData` is what it finds under that name. It gets nothing of this process's environment and flags. */
export function startThread(program: Program, workerData?: unknown): Worker {
  return new Worker(new URL(`./${program}${extension}`, import.meta.url), { execArgv: [], env: {}, resourceLimits, workerData })
}
