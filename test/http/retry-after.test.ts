import { describe, expect, it } from '@jest/globals'
import { retryAfterMs } from '../../src/http/retry-after.ts'

const now = Date.UTC(2026, 10, 22, 8, 15, 0)

describe('retryAfterMs', () => {
  it.each([
    { value: '7', ms: 7_000 },
    { value: ' 7 ', ms: 7_000 },
    { value: '0', ms: 0 },
    { value: '1.5', ms: 1_500 },
    { value: 'Sun, 22 Nov 2026 08:15:30 GMT', ms: 30_000 },
    { value: 'Sun, 22 Nov 2026 08:14:30 GMT', ms: 0 },
    { value: '-7', ms: undefined },
    { value: 'soon', ms: undefined },
    { value: '', ms: undefined },
    { value: 'Infinity', ms: undefined },
    { value: '7 s', ms: undefined },
  ])('reads "$value" as $ms ms', ({ value, ms }) => {
    expect(retryAfterMs({ 'retry-after': value }, now)).toBe(ms)
  })

  it.each([
    { name: 'no header', headers: {} },
    { name: 'a header that comes twice', headers: { 'retry-after': ['1', '2'] } },
  ])('is unknown for $name', ({ headers }) => {
    expect(retryAfterMs(headers, now)).toBeUndefined()
  })
})
