/** What an id pattern may be made of: the characters of ids, and stars. */
export const idPatternRule = /^[A-Za-z0-9_.*-]{1,256}$/

/** One step of a pattern: a character, or a run of characters (`within` one segment, or of `any`). */
type Step =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'within' }
  | { readonly kind: 'one' }
  | { readonly kind: 'any' }

/**
 * Makes the test whether an id matches `a.*.b` (`*` = one segment) or `a.**` (`**` = any), as GROQ's `path()` does.
 * It takes time in proportion to the lengths of both, whatever they are: a regular expression would not.
 */
export function idPattern(pattern: string): (id: string) => boolean {
  const steps = pattern.split('.').flatMap((segment, index): Step[] => [...(index > 0 ? [literal('.')] : []), ...stepsOf(segment)])
  const stars = steps.findIndex(({ kind }) => kind !== 'character')
  const prefix = pattern.slice(0, stars === -1 ? pattern.length : stars)
  return (id) => id.startsWith(prefix) && (stars === -1 ? id === pattern : matches(steps, id))
}

function stepsOf(segment: string): Step[] {
  if (segment === '**') return [{ kind: 'any' }]
  if (segment === '*') return [{ kind: 'one' }, { kind: 'within' }]
  return segment.split(/(\*+)/).flatMap((part): Step[] => (part.startsWith('*') ? [{ kind: 'within' }] : [...part].map(literal)))
}

function literal(character: string): Step {
  return { kind: 'character', character }
}

/** Follows all ways through the steps at once: `places` are the steps that may come next. */
function matches(steps: readonly Step[], id: string): boolean {
  let places = passing(steps, new Set([0]))
  for (let i = 0; i < id.length && places.size > 0; i++) {
    const letter = id.charAt(i)
    const next = new Set<number>()
    for (const place of places) {
      const step = steps[place]
      if (step && takes(step, letter)) next.add(step.kind === 'character' || step.kind === 'one' ? place + 1 : place)
    }
    places = passing(steps, next)
  }
  return places.has(steps.length)
}

function takes(step: Step, letter: string): boolean {
  if (step.kind === 'character') return letter === step.character
  return step.kind === 'any' || letter !== '.'
}

/** A run may be empty: whoever stands before one also stands behind it. */
function passing(steps: readonly Step[], places: Set<number>): Set<number> {
  for (const place of places) {
    const kind = steps[place]?.kind
    if (kind === 'within' || kind === 'any') places.add(place + 1)
  }
  return places
}
