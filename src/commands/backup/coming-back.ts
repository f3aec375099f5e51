import type { Inputs } from '../../inputs/backup.ts'
import type { Tally } from '../../tally/tally.ts'
import { plural } from '../../text.ts'
import type { Tools } from '../../tools.ts'

/** Warns, while there is time, of what others will stumble over on the day on which the snapshot is needed. It is whole all the same. */
export function warnOfComingBack({ lacking, unsafeNames }: Tally, { destinations, branchLayout }: Inputs, log: Tools['log']): void {
  if (lacking.size > 0) {
    const count = [...lacking.values()].reduce((sum, each) => sum + each, 0)
    const properties = [...lacking.keys()].map((property) => `\`${property}\``).join(', ')
    log.warning(
      `${plural(count, 'document')} of assets ${count === 1 ? 'lacks' : 'lack'} what \`sanity dataset import\` asks for (${properties}). The snapshot is whole, but that import would stop before its first write. Give them what they lack in Sanity, or see "If the import complains" in the README.`,
    )
  }
  if (unsafeNames > 0 && destinations.has('branch') && branchLayout === 'text') {
    log.warning(
      `${plural(unsafeNames, 'document')} ${unsafeNames === 1 ? 'has' : 'have'} a type or an id that is no name for a file on every system: one like \`con\` or \`nul\` on Windows, or one over 255 bytes anywhere. The branch holds them as they are, but unpacking it there breaks. docs/format.md shows how to read them without unpacking ("Names that no disk takes"); \`branch-layout: compressed\` avoids it.`,
    )
  }
}
