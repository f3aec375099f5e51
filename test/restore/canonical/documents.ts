import fc from 'fast-check'

/** A document as what it is, apart from how it is spelled: an object is a list of members, a number is its digits and a power of ten. */
export type Value =
  | { readonly kind: 'word'; readonly word: boolean | null }
  | { readonly kind: 'number'; readonly digits: bigint; readonly power: bigint }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly Value[] }
  | { readonly kind: 'object'; readonly members: readonly Member[] }
type Member = { readonly key: string; readonly value: Value }

const anyText = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'é', '"', '\\', '/', '\n', '\0', '\u007f', '\u2028', '🙂', '\ud800', '\udfff', '\ufffd', 'a\ud83d', '_ref'),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }),
)
// The parser of Node 24 takes the key "\n" for "\\" once it has seen that one (https://github.com/nodejs/node/issues/63785): it could not be a judge.
const anyKey = fc
  .oneof(
    fc.constantFrom('_id', '_rev', '_ref', 'a', 'aa', 'a ', 'a!', 'b', '', '__proto__', '\ufffd', '\ud800', '🙂', '1', '\n', '"'),
    anyText,
  )
  .filter((key) => !key.includes('\\'))
const anyNumber = fc.record({
  digits: fc.oneof(fc.bigInt(-20n, 20n), fc.bigInt(), fc.constantFrom(12345678901234567890n, 10n ** 1000n - 1n)),
  power: fc.oneof(fc.bigInt(-3n, 3n), fc.bigInt(-40n, 40n), fc.constantFrom(-401n, 400n, 999_999_999_999n, -(10n ** 30n))),
})

/** Ids, some of which are odd. */
export const anyId: fc.Arbitrary<string> = fc.constantFrom(
  ...['a', 'b', 'drafts.a', 'é', '"', '\\', '🙂', '\ud800', '', '_.groups.x', 'media-library:a'],
)
const anyReference = anyId.map((text): Value => ({ kind: 'object', members: [{ key: '_ref', value: { kind: 'text', text } }] }))

const { anyValue } = fc.letrec<{ anyValue: Value }>((tie) => ({
  anyValue: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    fc.constantFrom(true, false, null).map((word): Value => ({ kind: 'word', word })),
    anyNumber.map((number): Value => ({ kind: 'number', ...number })),
    anyText.map((text): Value => ({ kind: 'text', text })),
    { arbitrary: anyReference, weight: 2 },
    fc.array(tie('anyValue'), { maxLength: 5 }).map((items): Value => ({ kind: 'array', items })),
    objectOf(tie('anyValue')),
  ),
}))

function objectOf(value: fc.Arbitrary<Value>): fc.Arbitrary<Value> {
  const members = fc.uniqueArray(fc.record({ key: anyKey, value }), { maxLength: 6, selector: ({ key }) => key })
  return members.map((list): Value => ({ kind: 'object', members: list }))
}

export const anyDocument = objectOf(anyValue)

/** Gives a number from 0 to below `limit`, always the same ones for the same seed. */
export type Draw = (limit: number) => number

export const anyDraw: fc.Arbitrary<Draw> = fc.integer().map((seed) => {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 8) % limit
  }
})

/** Spells a document as Sanity does: keys in order, no white space, few escapes. */
export function spelledPlainly(value: Value): string {
  switch (value.kind) {
    case 'word':
      return String(value.word)
    case 'number':
      return value.power === 0n ? String(value.digits) : `${value.digits}e${value.power}`
    case 'text':
      return JSON.stringify(value.text)
    case 'array':
      return `[${value.items.map(spelledPlainly).join(',')}]`
    case 'object': {
      const members = value.members.map((member) => `${JSON.stringify(member.key)}:${spelledPlainly(member.value)}`)
      return `{${members.sort().join(',')}}`
    }
  }
}

/** Spells a document in another way: keys in any order and some twice, white space, numbers and strings in any form. */
export function spelledAnyhow(value: Value, draw: Draw): string {
  const space = () => ['', '', '', ' ', '\t', '\r\n'][draw(6)] as string
  const spelled = (): string => {
    switch (value.kind) {
      case 'word':
        return String(value.word)
      case 'number':
        return numberAnyhow(value.digits, value.power, draw)
      case 'text':
        return textAnyhow(value.text, draw)
      case 'array':
        return `[${value.items.length ? value.items.map((item) => spelledAnyhow(item, draw)).join(',') : space()}]`
      case 'object': {
        const members = shuffled(value.members, draw).flatMap((member) => (draw(8) === 0 ? [decoy(member), member] : [member]))
        const texts = members.map(({ key, value: item }) => `${space()}${textAnyhow(key, draw)}${space()}:${spelledAnyhow(item, draw)}`)
        return `{${texts.length ? texts.join(',') : space()}}`
      }
    }
  }
  return `${space()}${spelled()}${space()}`
}

/** A member of the same name in front, which does not count. */
function decoy({ key }: Member): Member {
  return { key, value: { kind: 'array', items: [{ kind: 'object', members: [{ key: 'decoy', value: { kind: 'text', text: key } }] }] } }
}

function shuffled<Item>(items: readonly Item[], draw: Draw): Item[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = draw(last + 1)
    const item = result[last] as Item
    result[last] = result[other] as Item
    result[other] = item
  }
  return result
}

function textAnyhow(text: string, draw: Draw): string {
  const short = new Map(['"', '\\', '/', '\b', '\f', '\n', '\r', '\t'].map((character, index) => [character, `\\${'"\\/bfnrt'[index]}`]))
  const escaped = (character: string) =>
    Array.from({ length: character.length }, (_, index) => {
      const hex = character.charCodeAt(index).toString(16).padStart(4, '0')
      return `\\u${draw(2) ? hex : hex.toUpperCase()}`
    }).join('')
  const characters = [...text].map((character) => {
    const form = draw(4)
    if (form === 0) return escaped(character)
    const isSafe = character >= ' ' && character !== '"' && character !== '\\' && character.isWellFormed()
    if (form > 1 && isSafe) return character
    return short.get(character) ?? (isSafe ? character : escaped(character))
  })
  return `"${characters.join('')}"`
}

function numberAnyhow(digits: bigint, power: bigint, draw: Draw): string {
  const sign = digits < 0n || (digits === 0n && draw(2)) ? '-' : ''
  const added = draw(4)
  const text = String(digits < 0n ? -digits : digits) + '0'.repeat(digits === 0n ? 0 : added)
  const behind = digits === 0n ? draw(3) : draw(Math.min(text.length + 4, 50))
  const padded = text.padStart(behind + 1, '0')
  const whole = padded.slice(0, padded.length - behind)
  const mantissa = behind > 0 ? `${whole}.${padded.slice(padded.length - behind)}` : whole
  const exponent = digits === 0n ? BigInt(draw(9)) : power - BigInt(added) + BigInt(behind)
  if (exponent === 0n && draw(2)) return sign + mantissa
  const size = `${'0'.repeat(draw(3))}${exponent < 0n ? -exponent : exponent}`
  return `${sign}${mantissa}${'eE'[draw(2)]}${exponent < 0n ? '-' : ['', '+'][draw(2)]}${size}`
}

/** Another document, that differs in one place at most: a leaf, the order or number of items, a key. */
export function changed(value: Value, draw: Draw): Value {
  switch (value.kind) {
    case 'word':
      return draw(2)
        ? { kind: 'word', word: value.word === true ? false : value.word === false ? null : true }
        : { kind: 'text', text: String(value.word) }
    case 'number':
      return draw(2) ? { ...value, digits: value.digits + 1n } : { ...value, power: value.power - 1n }
    case 'text':
      return { kind: 'text', text: draw(2) ? `${value.text}\0` : value.text.toWellFormed().slice(0, -1) }
    case 'array':
      return { kind: 'array', items: changedItems(value.items, draw) }
    case 'object':
      return { kind: 'object', members: changedMembers(value.members, draw) }
  }
}

function changedItems(items: readonly Value[], draw: Draw): readonly Value[] {
  if (items.length === 0) return [{ kind: 'array', items: [] }]
  const at = draw(items.length)
  if (draw(4) === 0) return items.toSpliced(at, 1)
  if (draw(4) === 0) return [...items.slice(at), ...items.slice(0, at)]
  return items.with(at, changed(items[at] as Value, draw))
}

function changedMembers(members: readonly Member[], draw: Draw): readonly Member[] {
  if (members.length === 0) return [{ key: 'new', value: { kind: 'word', word: null } }]
  const at = draw(members.length)
  const member = members[at] as Member
  if (draw(4) === 0) return members.toSpliced(at, 1)
  if (draw(4) === 0) return members.with(at, { ...member, key: `${member.key} renamed` })
  return members.with(at, { ...member, value: changed(member.value, draw) })
}
