import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJsonObject } from '../../../src/protocol/json-object.ts'

const parse = (text: string) => parseJsonObject(Buffer.from(text))

/** Values whose texts hold no half of a surrogate pair. */
const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 5 })
const object = fc.dictionary(fc.string({ unit: 'binary' }), json)

describe('parseJsonObject', () => {
  it('reads every object JSON.stringify writes, in any layout', () => {
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 1, '\t', '\r\n '), (value, layout) => {
        const text = JSON.stringify(value, null, layout)
        expect(parse(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('reads no object in which a member at any depth is named twice', () => {
    fc.assert(
      fc.property(object, fc.string({ unit: 'binary' }), json, fc.nat(20), (value, name, twice, depth) => {
        const member = `${JSON.stringify(name)} : ${JSON.stringify(twice)}`
        const inner = `{${member}, "between": ${JSON.stringify(value)}, ${member}}`
        expect(parse(`{"a": ${'['.repeat(depth)}${inner}${']'.repeat(depth)}}`)).toBeUndefined()
      }),
    )
  })

  it.each([
    ['{"a":1,"b":{"a":1},"c":[{"a":1}]}'],
    ['{"":1,"__proto__":2,"constructor":3}'],
    ['{"a":"\\"a\\":","b":"a:","c":":"}'],
    ['{"a":"\\ud83d\\ude00","\\ud83d\\ude00":1}'],
    ['{}'],
  ])('reads %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  it.each([
    ['{"a":1,"a":1}'],
    ['{"a":1,"\\u0061":1}'],
    ['{"":1,"":2}'],
    ['{"b":[{"c":{"a":1,"a":2}}]}'],
    ['{"a":"\\ud800"}'],
    ['{"a":["\\udc00\\ud800"]}'],
    ['{"\\ud800":1}'],
    ['\uFEFF{}'],
    ['[]'],
    ['"{}"'],
    ['null'],
    [''],
    ['{}{}'],
  ])('does not read %j', (text) => {
    expect(parse(text)).toBeUndefined()
  })

  it('reads no bytes that are not UTF-8', () => {
    expect(parseJsonObject(Buffer.from('{"a":"é"}', 'latin1'))).toBeUndefined()
  })

  it('reads 32 levels and not one more', () => {
    const nest = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`
    expect(parse(nest(32))).toEqual(JSON.parse(nest(32)))
    expect(parse(nest(33))).toBeUndefined()
  })
})
