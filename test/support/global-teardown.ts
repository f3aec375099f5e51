import { sweepDisks } from './disk.ts'

/** After all tests: unmounts what a test left that Jest gave up on. */
export default function globalTeardown(): void {
  sweepDisks({ own: true })
}
