import { checkEnvironment } from './inputs/environment.ts'
import { declaredInputs } from './inputs/inputs.ts'
import { findHeartbeatUrl, findSecrets, secretVariables } from './inputs/secrets.ts'
import { startLifetime } from './lifetime.ts'
import type { Ending } from './report/ending.ts'
import { makeWatchdog, type Watchdog } from './report/heartbeat.ts'
import { makeReport } from './report/report.ts'
import { abandon, failed, run } from './run.ts'
import { allowFreeing } from './streams/memory.ts'
import { makeTools, type OpenTools } from './tools.ts'

// The artifact client's zip reader calls Buffer(): nothing that a user could do something about.
process.noDeprecation = true
allowFreeing()

const env = { ...process.env }
const report = makeReport(findSecrets(env, declaredInputs(env)), env)
for (const name of secretVariables) delete process.env[name]

let open: { readonly tools: OpenTools; readonly watchdog: Watchdog } | undefined
const lifetime = startLifetime({ onGivenUp: () => void open?.watchdog.tell(false), onExit: abandon, onNoResult: report.abandoned })

const ending = await lifetime.during(begin).catch(failed)
const exitCode = await report.end(ending).catch(() => 1)
await open?.watchdog.tell(exitCode === 0)
await lifetime.end(exitCode, async () => await open?.tools.close())

async function begin(): Promise<Ending> {
  // Throws for an environment in which no request is safe. The watchdog gets none either: its URL is a secret too, and a watchdog that hears
  // nothing raises the alarm.
  checkEnvironment(env)
  const { log, clean } = report
  const { signal, lastCall } = lifetime
  const tools = makeTools({ log, clean, environment: { ...process.env }, signal })
  open = { tools, watchdog: makeWatchdog({ url: findHeartbeatUrl(env), http: tools.http, log, stop: lastCall }) }
  return await run(env, tools)
}
