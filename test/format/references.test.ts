import { describe, expect, it } from '@jest/globals'
import { strongReferences } from '../../src/format/references.ts'

describe('strongReferences', () => {
  it.each([
    { name: 'a reference', value: '{"_ref":"a"}', ids: ['a'] },
    { name: 'one that is not weak', value: '{"_weak":false,"_ref":"a"}', ids: ['a'] },
    { name: 'a weak one', value: '{"_ref":"a","_weak":true}', ids: [] },
    { name: 'one that is weak before its id', value: '{"_weak":true,"_ref":"a"}', ids: [] },
    { name: 'one into another dataset', value: '{"_ref":"a","_dataset":"other"}', ids: [] },
    { name: 'one into another project', value: '{"_projectId":"other","_ref":"a"}', ids: [] },
    { name: 'one into the Media Library', value: '{"_ref":"media-library:ml1:a"}', ids: [] },
    { name: 'a document of Sanity’s own', value: '{"_ref":"_.groups.public"}', ids: [] },
    { name: 'a draft', value: '{"_ref":"drafts.a"}', ids: ['drafts.a'] },
    { name: 'several in a list', value: '[{"_ref":"a"},{"x":[{"_ref":"b","_weak":true},{"_ref":"c"}]}]', ids: ['a', 'c'] },
    { name: 'one inside another', value: '{"_ref":"a","inner":{"_ref":"b","_weak":true}}', ids: ['a'] },
    { name: 'one with white space', value: '{ "_ref" : "a" , "_weak" : false }', ids: ['a'] },
    { name: 'an id with escapes', value: '{"_ref":"a\\u00e9\\"b"}', ids: ['aé"b'] },
    { name: 'a text that looks like one', value: '"{\\"_ref\\":\\"a\\"}"', ids: [] },
    { name: 'the word as a value', value: '["_ref","a"]', ids: [] },
    { name: 'a number in its place', value: '{"_ref":1}', ids: [] },
    { name: 'none', value: '{"ref":"a"}', ids: [] },
  ])('finds $ids in $name', ({ value, ids }) => {
    expect(strongReferences(Buffer.from(`{"_id":"x","_type":"t","value":${value}}`))).toEqual(ids)
  })
})
