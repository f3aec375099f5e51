import { isUtf8 } from 'node:buffer'
import { type Finding, type FindingKind, type Findings, fileFinding, finding } from '../../format/findings/finding.ts'
import { typeCounts } from '../../format/findings/type-counts.ts'
import { isDraft, isVersion } from '../../format/manifest/filters.ts'
import { manifestFile, type StoredManifest } from '../../format/manifest/manifest.ts'
import { detailsFile, sealedName } from '../../format/manifest/sealed.ts'
import { strongReferences } from '../../format/references.ts'
import { sumDigest } from '../../streams/digest.ts'
import { idSet, keyJournal, keyOf } from '../../streams/id-set.ts'
import { type Scanned, scanDocument } from '../../streams/json/scan.ts'
import { formatCount, plural, quoteOutside } from '../../text.ts'
import type { DocumentPlace } from '../read/document-lines.ts'

/** Takes a document by its line, without the line feed. */
export type AddDocument = (line: Buffer, place: DocumentPlace) => Scanned | undefined

/** Looks at the documents of a snapshot, in memory that does not grow with what is wrong. */
export type DocumentsCheck = {
  /** Gives what the line is; undefined if it is no document. */
  readonly add: AddDocument
  /** When all were added. `readAgain` goes through the same documents once more: only what comes twice or leads nowhere needs that. */
  readonly end: (readAgain: (add: AddDocument) => Promise<void>) => Promise<void>
}

/**
 * Checks each line, and all together: their number, digest and types, ids that come twice, and references that lead nowhere. `findings` gets them.
 */
export function documentsCheck(manifest: StoredManifest, findings: Findings): DocumentsCheck {
  const totals = totalsCheck(manifest)
  const ids = idSet(manifest.documents.count)
  const twice = suspectedTwice()
  const references = referencesCheck()
  return {
    add: (line, place) => {
      const document = documentOrFinding(line, place, findings)
      totals.add(line, document)
      if (document === undefined) return undefined
      const key = keyOf(document.id)
      if (!ids.addKey(key)) twice.suspect(key)
      references.add(line)
      return document
    },
    end: async (readAgain) => {
      findings.add(...totals.findWrong())
      const dangling = references.findDangling(ids.hasKey)
      const isCounted = leavesOut(manifest)
      if (isCounted && dangling.count > 0) findings.add(finding('reference-dangling', countedOnly(dangling.count, manifest)))
      const looks = [
        ...(twice.count() > 0 ? [twice.confirm(findings)] : []),
        ...(dangling.count > 0 && !isCounted ? [nameDangling(dangling.has, findings)] : []),
      ]
      if (looks.length === 0) return
      await readAgain((line, place) => {
        const document = isUtf8(line) ? scanDocument(line) : undefined
        if (document) for (const look of looks) look(line, document, place)
        return document
      })
      findings.addMore('duplicate-id', twice.more())
    },
  }
}

/** What a line is; if it is no document, that is a finding. */
export function documentOrFinding(line: Buffer, place: DocumentPlace, findings: Findings): Scanned | undefined {
  const document = isUtf8(line) ? scanDocument(line) : undefined
  if (document !== undefined) return document
  if (findings.isFull('line-invalid')) findings.addMore('line-invalid', 1)
  else findings.add(at('line-invalid', place, 'is not a document'))
  return undefined
}

type Look = (line: Buffer, document: Scanned, place: DocumentPlace) => void

function countedOnly(count: number, { encryption }: StoredManifest): string {
  const are = count === 1 ? 'is' : 'are'
  const why = encryption == null ? 'which leaves some out' : `and ${are} not named, since it is encrypted`
  return `${plural(count, 'document')} that others refer to ${are} not in the snapshot, ${why}`
}

/** Whether documents were left out on purpose, or none may be named. */
function leavesOut({ filters, documents, encryption }: StoredManifest): boolean {
  if (encryption != null || filters === undefined || 'digest' in filters) return true
  return !filters.includeDrafts || filters.types.length + filters.excludeTypes.length > 0 || (documents.excluded ?? 0) > 0
}

function at(kind: FindingKind, { path, line }: DocumentPlace, says: string) {
  return fileFinding(kind, path, line === undefined ? says : `line ${formatCount(line)} ${says}`)
}

/** Compares all documents together with what the manifest says of them. */
export function totalsCheck(manifest: StoredManifest): {
  readonly add: (line: Buffer, document: Scanned | undefined) => void
  readonly findWrong: () => Finding[]
} {
  const { count, contentDigest, drafts, versions } = manifest.documents
  const sum = sumDigest()
  const types = typeCounts(manifest)
  const found = { count: 0, drafts: 0, versions: 0 }
  return {
    add: (line, document) => {
      // An empty line is no document, and is told as such: a file may be full of them.
      if (line.length > 0) sum.add(line)
      found.count++
      if (document === undefined) return
      types.add(document.type)
      if (isDraft(document.id)) found.drafts++
      else if (isVersion(document.id)) found.versions++
    },
    findWrong: () => {
      if (found.count !== count) return [wrong(`says ${plural(count, 'document')}, and there are ${formatCount(found.count)}`)]
      return [
        ...(sum.result() === contentDigest ? [] : [wrong('does not match the documents: their digest differs')]),
        ...(types.differ() ? [wrong('says how many documents there are of each type, and there are others', typesFile(manifest))] : []),
        ...(drafts !== undefined && drafts !== found.drafts
          ? [wrong(`says ${plural(drafts, 'draft')}, and there are ${found.drafts}`)]
          : []),
        ...(versions !== undefined && versions !== found.versions
          ? [wrong(`says ${plural(versions, 'version')}, and there are ${found.versions}`)]
          : []),
      ]
    },
  }
}

function wrong(says: string, path: string = manifestFile): Finding {
  return fileFinding('documents-differ', path, says)
}

/** The file that names the types. */
function typesFile({ encryption }: StoredManifest): string {
  return encryption == null ? manifestFile : sealedName(detailsFile)
}

/** So many ids that seem to come twice are looked at again; more are counted. */
const mostSuspects = 1000

/** Ids whose fingerprint has come before. That says nothing yet: two ids can have the same one. */
function suspectedTwice() {
  const suspects = new Set<string>()
  let more = 0
  return {
    suspect: (key: string): void => {
      if (suspects.has(key)) return
      if (suspects.size < mostSuspects) suspects.add(key)
      else more++
    },
    count: () => suspects.size,
    more: () => more,
    confirm: (findings: Findings): Look => {
      const first = new Map<string, DocumentPlace>()
      return (_, { id }, place) => {
        if (!suspects.has(keyOf(id))) return
        const before = first.get(id)
        if (before === undefined) first.set(id, place)
        else
          findings.add(
            at(
              'duplicate-id',
              place,
              `has the same id as ${before.line === undefined ? quoteOutside(before.path) : `line ${formatCount(before.line)}`}`,
            ),
          )
      }
    },
  }
}

/** Ids that many documents refer to are known by their text: no fingerprint is taken of them each time. */
const mostRecent = 10_000

/** All ids that are referred to, as fingerprints. */
function referencesCheck() {
  const known = idSet()
  const journal = keyJournal()
  const recent = new Set<string>()
  return {
    add: (line: Buffer): void => {
      for (const id of strongReferences(line)) {
        if (recent.has(id)) continue
        if (recent.size === mostRecent) recent.clear()
        recent.add(id)
        const key = keyOf(id)
        if (known.addKey(key)) journal.addKey(key)
      }
    },
    findDangling: (isThere: (key: string) => boolean): { readonly count: number; readonly has: (key: string) => boolean } => {
      const dangling = idSet()
      let count = 0
      for (const key of journal.keys()) if (!isThere(key) && dangling.addKey(key)) count++
      return { count, has: dangling.hasKey }
    },
  }
}

function nameDangling(isDangling: (key: string) => boolean, findings: Findings): Look {
  return (line, _, place) => {
    const ids = new Set(strongReferences(line).filter((id) => isDangling(keyOf(id))))
    for (const id of ids) {
      findings.add(at('reference-dangling', place, `refers to “${quoteOutside(id, 130)}”, which is not in the snapshot`))
    }
  }
}
