import { missingHere } from './needs.ts'

/** From so many files on, a run is long enough to be told of. */
const MANY = 40

/** Says at once how long a run takes, how far it has come, and at the end what this machine could not run. Jest's own reporter tells the rest. */
export default class Progress {
  onRunStart({ numTotalTestSuites: files }) {
    this.files = files
    this.startedAt = Date.now()
    if (files >= MANY) say(`${files} test files. On two cores that takes some seven minutes; each file is named when it is done.`)
  }

  onTestResult(_test, _result, { numFailedTestSuites: failed, numPassedTestSuites: passed, numPendingTestSuites: pending }) {
    const done = failed + passed + pending
    const step = Math.ceil(this.files / 10)
    if (this.files < MANY || done % step !== 0 || done === this.files) return
    const elapsedMs = Date.now() - this.startedAt
    const leftMs = (elapsedMs / done) * (this.files - done)
    say(`${done} of ${this.files} files in ${minutes(elapsedMs)}, about ${minutes(leftMs)} to go${failed > 0 ? `; ${failed} failed` : ''}`)
  }

  onRunComplete(_contexts, { numPendingTests: skipped }) {
    if (skipped === 0) return
    const reasons = [...missingHere()].map(([need, means]) => `no ${need} (${means})`)
    say(`${skipped} tests were skipped on this machine: ${reasons.join('; ') || 'by their names, or in the files'}`)
  }
}

function minutes(ms) {
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`
}

function say(line) {
  process.stderr.write(`== ${line}\n`)
}
