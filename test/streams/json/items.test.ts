import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { itemsOfMember } from '../../../src/streams/json/items.ts'

const itemsIn = (text: string) => itemsOfMember(Buffer.from(text), 'list')?.map(String)

describe('itemsOfMember', () => {
  it.each([
    { text: '{"list":[]}', items: [] },
    { text: ' { "a" : [1] , "list" : [ 1.50 , "]," , {"list":[2]} , [ ] ] } ', items: ['1.50', '"],"', '{"list":[2]}', '[ ]'] },
    { text: '{"list":[1],"list":[2]}', items: ['1'] },
    { text: '{"inner":{"list":[1]}}', items: undefined },
    { text: '{"list":{"0":1}}', items: undefined },
    { text: '{"lists":[1]}', items: undefined },
    { text: '{}', items: undefined },
    { text: '["list",[1]]', items: undefined },
    { text: '{"list":[1]', items: undefined },
    { text: '{"list":[1]}x', items: undefined },
    { text: '', items: undefined },
  ])('of $text are $items', ({ text, items }) => {
    expect(itemsIn(text)).toEqual(items)
  })

  it('are what the parser finds, in any array', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), (list, space) => {
        const items = itemsIn(JSON.stringify({ before: [list], list, after: 1 }, undefined, space))
        expect(items?.map((item) => JSON.parse(item))).toEqual(JSON.parse(JSON.stringify(list)))
      }),
    )
  })
})
