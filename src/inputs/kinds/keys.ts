import { type IdentityReason, parseIdentities, parseRecipients, type RecipientReason, type Recipients } from '../../codec/age-keys.ts'
import { plural } from '../../text.ts'
import { identityInput } from '../secrets.ts'
import { type Env, isBlank } from '../variables.ts'
import type { Kind } from './kinds.ts'

/** Keys of age, one a line. What is wrong with a line is told by its number and never quoted: it may be a secret key, or a part of one. */

/** Whom to encrypt to. Who gave nothing but white space meant to encrypt: stored in the clear, the snapshot would be open to many. */
export function recipients(env: Env): Kind<Recipients | undefined> {
  return (given, refuse) => {
    if (given === '' && isBlank(env, 'encrypt-to')) refuse(ofRecipients.blank)
    return given === '' ? undefined : recipientsIn(given, refuse)
  }
}

const recipientsIn: Kind<Recipients | undefined> = (given, refuse) => {
  const parsed = parseRecipients(given)
  if (!('problems' in parsed)) return parsed
  for (const { line, reason } of parsed.problems) refuse(reason === 'none' ? ofRecipients.none : `line ${line} ${ofRecipients[reason]}`)
  return undefined
}

/** So many bad lines are told: a whole page may have been pasted. */
const mostProblems = 5

/** What opens snapshots that are encrypted. Secret. */
export function identities(env: Env): Kind<readonly string[] | undefined> {
  return (given, refuse) => {
    if (given === '' && isBlank(env, identityInput)) refuse(ofIdentities.blank)
    return given === '' ? undefined : identitiesIn(given, refuse)
  }
}

const identitiesIn: Kind<readonly string[] | undefined> = (given, refuse) => {
  const parsed = parseIdentities(given)
  if (!('problems' in parsed)) return parsed
  for (const { line, reason } of parsed.problems.slice(0, mostProblems)) {
    refuse(reason === 'none' ? ofIdentities.none : `line ${line} ${ofIdentities[reason]}`)
  }
  const more = parsed.problems.length - mostProblems
  if (more > 0) refuse(`${plural(more, 'more line')} cannot be read either`)
  return undefined
}

const ofRecipients: Record<RecipientReason | 'blank', string> = {
  blank:
    'holds white space alone, so nothing would be encrypted. Are the variables that it names set in this repository? To store in the clear, leave it out',
  none: 'holds no recipient. Write a line that begins with `age1` into it, or leave it out',
  'secret-key':
    'holds a secret key where a recipient belongs. That key is burnt: it is no longer secret, since it was in a workflow, so make a new one with `age-keygen`, and write the public key (`age1…`) here',
  'mixed-kinds':
    'is a recipient of another kind than the first: `age1…` and `age1pq1…` do not go together, since the weaker one would undo the stronger',
  'letter-case': 'is not in lower case, as age writes recipients',
  unsupported:
    'is a recipient of a kind that this action does not take: a key of SSH, of a plugin or of a device. `age-keygen` makes one that it takes',
  malformed: 'is no age recipient, or has a typo. Copy it once more from what `age-keygen` printed: it begins with `age1`',
  unusable: 'is a recipient to which nothing can be encrypted',
}

// The words that all keys begin with are not spelled out: they are a part of the key, and would be masked.
const ofIdentities: Record<IdentityReason | 'blank', string> = {
  blank:
    'holds white space alone. Are the secrets that it names set in this repository? (Runs from forks get no secrets.) To give no identity, leave it out',
  none: 'holds no identity, only comments. Store the whole content of the key file, with the line that begins with `AGE-SECRET-`',
  'public-key':
    'is a recipient, the public key to which snapshots are encrypted. It opens nothing: give the secret key that `age-keygen` printed with it, which begins with `AGE-SECRET-`',
  'ssh-key':
    'is a key of SSH, and no snapshot is encrypted to one. Give the secret key of an age recipient, which begins with `AGE-SECRET-`; `age-keygen` makes such keys',
  'encrypted-file':
    'begins a key file that is itself encrypted, and nobody can type its passphrase here. Open it with `age -d -o key.txt` on your own computer, and store what it holds as the secret',
  'letter-case': 'is not in upper case, as age writes identities. Copy it once more from the key file',
  unsupported: 'is a key of a plugin or a device, which cannot be asked here. Encrypt to a key of `age-keygen` as well, and give that one',
  malformed:
    'is no age identity, or has a typo. Copy it once more from the key file: the whole line that begins with `AGE-SECRET-`, alone, without quotes; not the name of the file',
}
