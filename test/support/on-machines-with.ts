import { it } from '@jest/globals'
import { missingHere, type Need } from './needs.ts'

const missing = missingHere()

/** `it` for tests that need something of the machine: they are skipped where it is missing, and the last line of the run says so. `.ci/run` skips none. */
export function onMachinesWith(need: Need): Pick<typeof it, 'each'> & typeof it.skip {
  return missing.has(need) ? it.skip : it
}
