// Loaded into a process before its own code: writes what the process used when it ends.
import { readFileSync, writeFileSync } from 'node:fs'

process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  writeFileSync(process.env.BENCH_USAGE, JSON.stringify({ peakRssBytes: peakRss(), cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }))
})

/** getrusage(2) counts what the parent had when it started the process; proc(5), VmHWM, does not. */
function peakRss() {
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return Number(kilobytes) * 1024
}
