import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { digester, digestOf, sumDigest } from '../../src/streams/digest.ts'
import { cut } from '../support/feed.ts'

const anyLine = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))

describe('digester', () => {
  it('agrees with SHA-256 of the whole, however the bytes come', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(50), { minLength: 1 }), (bytes, sizes) => {
        const whole = Buffer.from(bytes)
        const { update, result } = digester()
        for (const piece of cut(whole, sizes)) update(piece)
        expect(result()).toEqual({ bytes: whole.length, digest: `sha256:${createHash('sha256').update(whole).digest('hex')}` })
      }),
    )
  })

  it('may be asked for its result more than once and goes on counting', () => {
    const { update, result } = digester()
    update(Buffer.from('ab'))
    result()
    update(Buffer.from('c'))
    expect(result()).toEqual({ bytes: 3, digest: 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' })
  })
})

describe('digestOf', () => {
  it('is the published SHA-256 of the empty string', () => {
    expect(digestOf(Buffer.alloc(0))).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })
})

describe('sumDigest', () => {
  // Made with Python: sum(int(sha256(line).hexdigest(), 16) for line in lines) % 2**256
  it.each([
    { name: 'no line', lines: [], digest: 'sumsha256:0000000000000000000000000000000000000000000000000000000000000000' },
    { name: 'an empty line', lines: [''], digest: 'sumsha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
    { name: 'two lines', lines: ['a', 'b'], digest: 'sumsha256:08bb6928ca5517152e4b8118ff058d82334469f89d507abd84f46634858a4958' },
    {
      name: 'lines whose sum passes 2^256',
      lines: ['a', 'b', '', 'ü🙂'],
      digest: 'sumsha256:04253204a9a806811cd6c02193dd7625336be4d38c61c723ffd7997d64ab6d41',
    },
    {
      name: 'the same line twice',
      lines: ['a', 'a'],
      digest: 'sumsha256:952f022594377b95f58463673447b89b4f0ddff028f89ce57300ef0b5fdc9176',
    },
  ])('is the frozen value for $name', ({ lines, digest }) => {
    expect(sumOf(lines.map((line) => Buffer.from(line)))).toBe(digest)
  })

  it('is the sum modulo 2^256 of the SHA-256 of each line', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 30 }), (lines) => {
        expect(sumOf(lines)).toBe(bigSumOf(lines.map((line) => [line, 1n])))
      }),
      { numRuns: 500 },
    )
  })

  it('does not depend on the order of the lines', () => {
    const shuffled = fc
      .array(anyLine, { maxLength: 30 })
      .chain((lines) => fc.tuple(fc.constant(lines), fc.shuffledSubarray(lines, { minLength: lines.length })))
    fc.assert(fc.property(shuffled, ([lines, others]) => expect(sumOf(others)).toBe(sumOf(lines))))
  })

  it('changes with one byte of one line', () => {
    fc.assert(
      fc.property(
        fc.array(anyLine, { minLength: 1, maxLength: 10 }),
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (lines, which, where, bits) => {
          const line = Buffer.concat([lines[which % lines.length] ?? Buffer.alloc(0), Buffer.from('x')])
          const before = lines.with(which % lines.length, line)
          const changed = Buffer.from(line)
          changed[where % line.length] = (line[where % line.length] ?? 0) ^ bits
          expect(sumOf(before.with(which % lines.length, changed))).not.toBe(sumOf(before))
        },
      ),
    )
  })

  it('loses no carry in more than 2^20 additions', () => {
    const line = Buffer.from('the SHA-256 of this line is added again and again')
    const count = 2 ** 20 + 12_345
    const { add, result } = sumDigest()
    for (let time = 0; time < count; time++) add(line)
    expect(result()).toBe(bigSumOf([[line, BigInt(count)]]))
  })

  it('may be asked for its result between additions', () => {
    const { add, result } = sumDigest()
    add(Buffer.from('a'))
    result()
    add(Buffer.from('b'))
    expect(result()).toBe(sumOf([Buffer.from('a'), Buffer.from('b')]))
  })
})

function sumOf(lines: readonly Buffer[]): string {
  const { add, result } = sumDigest()
  for (const line of lines) add(line)
  return result()
}

/** The same by plain arithmetic. */
function bigSumOf(lines: readonly (readonly [Buffer, bigint])[]): string {
  const sum = lines.reduce((total, [line, times]) => total + times * BigInt(`0x${createHash('sha256').update(line).digest('hex')}`), 0n)
  return `sumsha256:${(sum % 2n ** 256n).toString(16).padStart(64, '0')}`
}
