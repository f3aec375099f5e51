import { sweepDisks } from './disk.ts'

/** Before all tests: unmounts what a killed run left, and tells the workers which run they belong to. */
export default function globalSetup(): void {
  process.env['TEST_RUN_PID'] = String(process.pid)
  sweepDisks()
}
