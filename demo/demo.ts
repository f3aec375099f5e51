import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { type Artifacts, expiryOf, startArtifacts } from '../test/doubles/artifacts/artifacts.ts'
import { startGithubRest } from '../test/doubles/github/github.ts'
import { startSanity } from '../test/doubles/sanity/sanity.ts'
import type { RunOptions, RunResult } from '../test/support/runner/runner.ts'
import { readZip } from '../test/support/zip.ts'
import { demoDocuments } from './dataset.ts'
import { showEncrypted } from './encrypted.ts'
import { showRescue } from './rescue.ts'
import { count, heading, print, show } from './show.ts'

const DOCUMENTS = 3000

/** Of the demo's documents: `secrets.shipping`, and three of the kind `_.groups.…`. */
const LEFT_OUT = { secrets: 1, groups: 3 } as const

const OUTPUT = resolve('demo-output')

const { SANITY_PROJECT_ID, SANITY_AUTH_TOKEN, SANITY_DATASET } = process.env

if (SANITY_PROJECT_ID && SANITY_AUTH_TOKEN) await backUpRealDataset(SANITY_PROJECT_ID, SANITY_AUTH_TOKEN)
else await backUpEmulatedDataset()

async function backUpEmulatedDataset(): Promise<void> {
  heading('Starting an emulated Sanity, the artifact service and GitHub’s REST API')
  const backedUp = DOCUMENTS - LEFT_OUT.secrets - LEFT_OUT.groups
  print(
    `  The dataset holds ${count(DOCUMENTS)} documents: ${count(backedUp)} to back up, ${LEFT_OUT.secrets} secret of a plugin that \`exclude-ids\` leaves out, and ${LEFT_OUT.groups} access groups that no export holds`,
  )
  await using sanity = await startSanity({ lines: [...demoDocuments(1, DOCUMENTS)] })
  await using artifacts = await startArtifacts()
  await using rest = await startGithubRest({ artifacts })
  const { runId, env } = artifacts.newRun()
  await using run = await backUp({
    inputs: {
      'project-id': sanity.project,
      dataset: sanity.dataset,
      token: sanity.token,
      'api-host': sanity.url,
      destination: 'artifact, directory',
      path: OUTPUT,
      'retention-days': '30',
    },
    env: { ...env, ...rest.env },
  })
  await showArtifacts(artifacts, runId)
  showSnapshot(run, ' --allow-assets-in-different-dataset --allow-failing-assets')
  print('                (both flags only here: the images of the demo are at no real project)')
  if (run.exitCode === 0) {
    await verify({
      inputs: { 'project-id': sanity.project, dataset: sanity.dataset, 'max-age-hours': '24' },
      env: { ...artifacts.newRun().env, ...rest.env },
    })
  }
  heading('The same, encrypted')
  for (const line of await showEncrypted(sanity)) print(line)
  if (run.exitCode === 0) await showRescue(sanity, () => ({ ...artifacts.newRun().env, ...rest.env }))
}

async function backUpRealDataset(project: string, token: string): Promise<void> {
  const dataset = SANITY_DATASET || 'production'
  heading(`Backing up the real dataset ${project}/${dataset} into a folder`)
  await using run = await backUp({
    inputs: { 'project-id': project, dataset, token, destination: 'directory', path: OUTPUT },
    timeoutMs: 3_600_000,
  })
  showSnapshot(run, ' --replace')
  if (run.exitCode !== 0) return
  await verify({ inputs: { path: run.outputs['path'] ?? OUTPUT }, timeoutMs: 3_600_000 })
  print('\nThe disaster and the rescue are left out: the demo never writes into a real dataset.')
}

async function backUp(options: RunOptions): Promise<RunResult> {
  await mkdir(OUTPUT, { recursive: true })
  return await show('The log of the step, as GitHub would show it', withProxies(options))
}

/** Proves again what was stored, as another workflow would a week later. */
async function verify(options: RunOptions): Promise<void> {
  await using _ = await show('The log of the step that verifies it', withProxies({ ...options, action: 'verify' }))
}

/** A real dataset may lie behind a proxy. */
function withProxies(options: RunOptions): RunOptions {
  const proxies = Object.entries(process.env).filter(([name]) => /^(https?|no)_proxy$|^NODE_EXTRA_CA_CERTS$/i.test(name))
  const surroundings = Object.fromEntries(proxies.map(([name, value]) => [name, value ?? '']))
  return { ...options, env: { ...(SANITY_PROJECT_ID ? surroundings : {}), ...options.env } }
}

async function showArtifacts(artifacts: Artifacts, runId: string): Promise<void> {
  heading('The stored artifact')
  for (const artifact of artifacts.list(runId)) {
    print(`  ${artifact.name}  ${artifact.size.toLocaleString('en')} bytes, kept until ${expiryOf(artifact).slice(0, 10)}`)
    for (const { name, sizeBytes } of readZip(await artifacts.fetchBytes(artifact.id))) {
      print(`    ${name.padEnd(20)} ${sizeBytes.toLocaleString('en').padStart(12)} bytes`)
    }
  }
}

function showSnapshot({ outputs, exitCode, durationMs }: RunResult, flags: string): void {
  const path = outputs['path']
  if (exitCode !== 0 || !path || !existsSync(path)) {
    heading(`The backup failed with exit code ${exitCode}`)
    return
  }
  const data = relative(process.cwd(), join(path, 'data.ndjson.gz'))
  heading(`Backed up in ${(durationMs / 1000).toFixed(1)} s. The snapshot is in ${relative(process.cwd(), path)}`)
  print(`  Look at it:   gunzip -c ${data} | head -n 1`)
  print(`  Restore it:   npx sanity@latest dataset import ${data} --project-id <project-id> --dataset <dataset>${flags}`)
}
