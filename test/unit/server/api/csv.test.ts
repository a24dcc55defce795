import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toCsvRow } from '../../../../src/server/api/csv.ts'

/** RFC 4180 backwards, for one row. */
function parseRow(row: string): string[] {
  const cells = row.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?:,|\r\n)/g)
  return [...cells].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '')
}

describe('a row of CSV', () => {
  it('leaves plain text alone, and null empty', () => {
    expect(toCsvRow(['a', 'b c', null, '1'])).toBe('a,b c,,1\r\n')
  })

  it.each([
    ['a,b', '"a,b"'],
    ['a"b', '"a""b"'],
    ['a;=1+1', '"a;=1+1"'],
    ['a\nb', '"a\nb"'],
    ['a\rb', '"a\rb"'],
  ])('quotes %j', (text, cell) => {
    expect(toCsvRow([text])).toBe(`${cell}\r\n`)
  })

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', ' =1', '＝1', '＋1', '－1', '＠A'])(
    'lets %j compute nothing',
    (text) => {
      expect(parseRow(toCsvRow([text]))).toEqual([`'${text}`])
    },
  )

  it('says what it was given, whatever that is', () => {
    const text = fc.string({ unit: 'binary' }).filter((one) => !/^\s*[=+\-@＝＋－＠]|^[\t\r\n]/.test(one))
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (cells) => {
        expect(parseRow(toCsvRow(cells))).toEqual(cells)
      }),
    )
  })
})
