import { type KeyReason, parseRecipients, type Recipients } from '../codec/age-keys.ts'
import type { Kind } from './kinds.ts'

/** age recipients, one a line. What is wrong with a line is told by its number and never quoted: a secret key may stand there. */
export const recipients: Kind<Recipients | undefined> = (given, refuse) => {
  if (given === '') return undefined
  const parsed = parseRecipients(given)
  if (!('problems' in parsed)) return parsed
  for (const { line, reason } of parsed.problems) refuse(reason === 'none' ? words.none : `line ${line} ${words[reason]}`)
  return undefined
}

const words: Record<KeyReason, string> = {
  none: 'holds no recipient. Write a line that begins with `age1` into it, or leave it out',
  'secret-key':
    'holds a secret key where a recipient belongs. That key is burnt: it has stood in a workflow, so make a new one with `age-keygen`, and write the public key (`age1…`) here',
  'public-key': 'is a public key',
  'mixed-kinds':
    'is a recipient of another kind than the first: `age1…` and `age1pq1…` do not go together, since the weaker one would undo the stronger',
  'letter-case': 'is not in lower case, as age writes recipients',
  unsupported:
    'is a recipient of a kind that this action does not take: a key of SSH, of a plugin or of a device. `age-keygen` makes one that it takes',
  malformed: 'is no age recipient, or has a typo. Copy it once more from what `age-keygen` printed: it begins with `age1`',
  unusable: 'is a recipient to which nothing can be encrypted',
}
