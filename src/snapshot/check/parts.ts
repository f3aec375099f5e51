import { type Finding, type Findings, fileFinding, finding, findingList } from '../../format/findings/finding.ts'
import { missingAssets } from '../../format/findings/manifest-findings.ts'
import { ledgerFile } from '../../format/ledger.ts'
import { plainName } from '../../format/manifest/sealed.ts'
import { plural } from '../../text.ts'
import type { Look } from './look.ts'
import { type AssetsSeen, checkPart, type Part } from './part.ts'

/** `shards`: of how many shards the snapshot is made; undefined for a whole one. */
type PartsOptions = Pick<Look, 'level' | 'signal' | 'opener'> & { readonly shards: number | undefined }

/**
 * Looks at a snapshot that was fetched, whole or as the shards that are there, and gives all that is wrong with it. Throws the signal's reason when it
 * is aborted.
 */
export async function checkParts(parts: readonly Part[], { shards, ...look }: PartsOptions): Promise<Finding[]> {
  const findings = findingList()
  const lacking = shards === undefined ? 0 : addMissingShards(parts, shards, findings)
  if (shards !== undefined) addOtherSealing(parts, findings)
  const seen: AssetsSeen[] = []
  for (const part of parts) {
    seen.push(await checkPart(part, { ...look, findings: shards === undefined ? findings : ofShard(part, findings) }))
  }
  if (lacking === 0 && look.level === 'data') addAssetsWithoutFile(parts, seen, findings)
  return findings.result()
}

function addMissingShards(parts: readonly Part[], shards: number, findings: Findings): number {
  const here = new Set(parts.map(({ manifest }) => manifest.shard?.index))
  let lacking = 0
  for (let index = 1; index <= shards; index++) {
    if (here.has(index)) continue
    lacking++
    findings.add(finding('shard-missing', `Shard ${index} of ${shards} is missing`))
  }
  return lacking
}

/** All shards of a set are encrypted, or none is: one that is not may have been put there by anybody. */
function addOtherSealing(parts: readonly Part[], findings: Findings): void {
  const plain = parts.filter(({ manifest }) => manifest.encryption == null)
  if (plain.length === 0 || plain.length === parts.length) return
  for (const { manifest } of plain) {
    findings.add(finding('file-unexpected', `Shard ${manifest.shard?.index} is not encrypted, and others of its set are`))
  }
}

/** Says of each finding which shard it is about: their files have the same names. */
function ofShard({ manifest: { shard } }: Part, findings: Findings): Findings {
  return {
    ...findings,
    add: (...found) => findings.add(...found.map((each) => ({ ...each, message: `In shard ${shard?.index}: ${each.message}` }))),
  }
}

/** Every asset has its file in one of the parts, or is one of those that are said to be missing. Shards may differ by what changed between them. */
function addAssetsWithoutFile(parts: readonly Part[], seen: readonly AssetsSeen[], findings: Findings): void {
  if (!parts.every(({ manifest }) => manifest.assets?.included === true)) return
  const ledgers = seen.flatMap(({ ledger }) => ledger ?? [])
  let without = 0
  for (const { ids } of seen) for (const key of ids.keys()) if (!ledgers.some(({ hasKey }) => hasKey(key))) without++
  const said = parts.reduce((sum, { manifest }) => sum + missingAssets(manifest), 0)
  if (without <= said) return
  const assets = plural(without - said, 'asset')
  if (parts.length > 1) findings.add(finding('assets-missing', `No shard holds the files of ${assets}, and none says so`))
  else findings.add(fileFinding('assets-differ', ledgerOf(parts[0]), `lacks ${assets} of the documents, and the manifest does not say so`))
}

function ledgerOf(part: Part | undefined): string {
  return part?.manifest.files.find(({ path }) => plainName(path) === ledgerFile)?.path ?? ledgerFile
}
