import { describe, expect, it } from '@jest/globals'
import { type WarningNeeds, warnOfDocuments } from '../../../src/commands/backup/warnings.ts'
import type { Tally } from '../../../src/tally/tally.ts'
import { stepTools } from './tools.ts'

const nothingToSay: Tally = {
  count: 3,
  drafts: 0,
  versions: 0,
  excluded: 0,
  draftsLeftOut: 0,
  received: 3,
  byType: new Map(),
  damaged: 0,
  holdsToken: false,
  lacking: new Map(),
  untaken: new Map(),
  unsafeNames: 0,
  secretTypes: [],
}
const usual: WarningNeeds = { fullRead: true, holdsDocuments: true, asTextOnBranch: false }

function warnings(tally: Partial<Tally>, needs: Partial<WarningNeeds> = {}): string[] {
  const { tools, logged } = stepTools()
  warnOfDocuments({ ...nothingToSay, ...tally }, { ...usual, ...needs }, tools)
  return logged
}

const apiKeys = { type: 'apiKey', count: 2, pattern: undefined }

describe('warnings of what a snapshot holds', () => {
  it('are none for ordinary documents', () => {
    expect(warnings({})).toEqual([])
  })

  it.each([
    { what: 'a role that may not read all', tally: {}, needs: { fullRead: false }, says: /^warning: The token’s role does not grant/ },
    { what: 'a role that is not known, in the log alone', tally: {}, needs: { fullRead: null }, says: /^info: Sanity did not tell/ },
    { what: 'damaged text', tally: { damaged: 1 }, needs: {}, says: /^warning: 1 document held the character U\+FFFD/ },
    { what: 'the token', tally: { holdsToken: true }, needs: {}, says: /^warning: A document in the dataset holds the Sanity token/ },
    {
      what: 'types like secrets',
      tally: { secretTypes: [apiKeys] },
      needs: {},
      says: /"apiKey" \(2 documents; `exclude-types: apiKey` leaves them out\)\./,
    },
    {
      what: 'more types like secrets than it names',
      tally: { secretTypes: Array.from({ length: 7 }, () => apiKeys) },
      needs: {},
      says: / and 2 more types\. Whoever/,
    },
    {
      what: 'a pattern that leaves secrets out, without the token in it',
      tally: { secretTypes: [{ type: 'x', count: 1, pattern: 'skTOKEN.**' }] },
      needs: {},
      says: /\(1 document; `exclude-ids` with `\*\*\*\.\*\*` leaves them out\)/,
    },
    {
      what: 'what the importer does not take',
      tally: {
        lacking: new Map([
          ['assetId', 2],
          ['path', 1],
        ]),
      },
      needs: {},
      says: /^warning: 3 documents of assets lack what .* asks for \(`assetId`, `path`\)/,
    },
    {
      what: 'a video, which nobody can change so that the importer takes it',
      tally: { untaken: new Map([['sanity.videoAsset', 1]]) },
      needs: {},
      says: /^warning: 1 document of assets in the Media Library \(sanity\.videoAsset\) is none .*`exclude-types: sanity\.videoAsset` leaves/,
    },
    {
      what: 'more than one type that lies in the Media Library, without the token in it',
      tally: {
        untaken: new Map([
          ['sanity.videoAsset', 1],
          ['sanity.skTOKENAsset', 2],
        ]),
      },
      needs: {},
      says: /^warning: 3 documents .* are none .*`exclude-types: sanity\.videoAsset,sanity\.\*\*\*Asset` leaves/,
    },
    {
      what: 'names that no disk takes',
      tally: { unsafeNames: 1 },
      needs: { asTextOnBranch: true },
      says: /^warning: 1 document has a type or an id/,
    },
  ])('tell of $what', ({ tally, needs, says }) => {
    expect(warnings(tally, needs)).toEqual([expect.stringMatching(says)])
  })

  it.each([
    { what: 'types like secrets in a shard without documents', tally: { secretTypes: [apiKeys] }, needs: { holdsDocuments: false } },
    { what: 'names where no document becomes a file', tally: { unsafeNames: 1 }, needs: { asTextOnBranch: false } },
  ])('do not tell of $what', ({ tally, needs }) => {
    expect(warnings(tally, needs)).toEqual([])
  })
})
