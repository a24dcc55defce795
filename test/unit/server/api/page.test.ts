import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { decodeCursor, type PageKey, pageQuery, toPage } from '../../../../src/server/api/page.ts'
import { uuid as UUID_FORMAT } from '../../../../src/server/api/schema.ts'
import { Problem } from '../../../../src/server/http/problem.ts'

const UUID = '0198c1f0-0000-7000-8000-000000000001'
const KEY = { createdAt: new Date('2026-03-01T12:00:00.123Z'), id: UUID }

/** The cursor of a page that ends at `key`, with more to come. */
function cursorOf(key: PageKey): string {
  const cursor = toPage([key, key], 1, (row) => row, String).next_cursor
  if (cursor === null) throw new Error('a page with more to come has no cursor')
  return cursor
}

const encode = (text: string): string => Buffer.from(text).toString('base64url')

function refusalOf(cursor: string) {
  try {
    decodeCursor(cursor, UUID_FORMAT)
  } catch (error) {
    if (error instanceof Problem) return [error.status, error.code, error.message]
    throw error
  }
  return undefined
}

const anyText = z.string()

describe('a cursor', () => {
  it('decodes to the key it was made of', () => {
    const uuid = fc.uuid()
    const instant = fc.date({
      min: new Date(0),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(instant, uuid, (createdAt, id) => {
        expect(decodeCursor(cursorOf({ createdAt, id }), UUID_FORMAT)).toEqual({ createdAt, id })
      }),
    )
  })

  it('goes into a query as it is', () => {
    expect(cursorOf(KEY)).toMatch(/^[\w-]+$/)
    expect(pageQuery.parse({ cursor: cursorOf(KEY) }).cursor).toBe(cursorOf(KEY))
  })

  it('is none on the first page', () => {
    expect(decodeCursor(undefined, UUID_FORMAT)).toBeNull()
  })

  it.each([
    ['nothing', ''],
    ['not base64url', '%%%'],
    ['text', encode('hello')],
    ['an instant alone', encode('2026-03-01T12:00:00.123Z')],
    ['an instant and no id', encode('2026-03-01T12:00:00.123Z ')],
    ['an id alone', encode(` ${UUID}`)],
    ['an instant that is none', encode(`2026-13-01T12:00:00.123Z ${UUID}`)],
    ['another list', encode('2026-03-01T12:00:00.123Z 0123456789abcdef')],
    ['a year before Christ', encode(`-271821-04-20T00:00:00.000Z ${UUID}`)],
    ['a number for an instant', encode(`1 ${UUID}`)],
    ['something behind the id', encode(`2026-03-01T12:00:00.123Z ${UUID} junk`)],
    ['a longer spelling', `${encode(`2026-03-01T12:00:00.123Z ${UUID}`)}=`],
    ['an id too short', encode('2026-03-01T12:00:00.123Z 0123456789abcde')],
    ['an id too long', encode(`2026-03-01T12:00:00.123Z ${UUID}0`)],
    ['an id in capitals', encode('2026-03-01T12:00:00.123Z 0123456789ABCDEF')],
    ['SQL in place of an id', encode(`2026-03-01T12:00:00.123Z 0'or'1'='1'--aaaa`)],
    ['a cursor cut short', cursorOf(KEY).slice(0, 30)],
  ])('of %s is refused', (_, cursor) => {
    expect(refusalOf(cursor)).toEqual([400, 'invalid_request', 'cursor: is not one this list gave'])
  })

  it('of garbage is refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (garbage) => {
        expect(refusalOf(garbage)?.[0]).toBe(400)
        expect(refusalOf(encode(garbage))?.[0]).toBe(400)
      }),
    )
  })
})

describe('a page', () => {
  const rows = [1, 2, 3].map((second) => ({
    createdAt: new Date(second * 1000),
    id: `000000000000000${second}`,
  }))
  const page = (limit: number, from = rows) =>
    toPage(
      from,
      limit,
      (row) => row,
      ({ id }) => id.slice(-1),
    )

  it('is the last one while no row is left over', () => {
    expect(page(3)).toEqual({ items: ['1', '2', '3'], next_cursor: null })
    expect(page(4)).toEqual({ items: ['1', '2', '3'], next_cursor: null })
    expect(page(2, [])).toEqual({ items: [], next_cursor: null })
  })

  it('leaves out the row too many, and points behind the last one it shows', () => {
    const { items, next_cursor } = page(2)
    expect(items).toEqual(['1', '2'])
    expect(decodeCursor(next_cursor ?? undefined, anyText)).toEqual(rows[1])
  })
})

describe('the query of a list', () => {
  it('has 50 rows a page when it does not say', () => {
    expect(pageQuery.parse({})).toEqual({ limit: 50 })
  })

  it.each(['1', '200'])('may ask for %s', (limit) => {
    expect(pageQuery.parse({ limit })).toEqual({ limit: Number(limit) })
  })

  it.each(['0', '201', '-1', '1.5', '', 'ten', '1e99', 'Infinity'])('may not ask for %j', (limit) => {
    expect(pageQuery.safeParse({ limit }).success).toBe(false)
  })

  it('bounds the cursor at 400 characters, and knows no other parameter', () => {
    expect(pageQuery.safeParse({ cursor: 'a'.repeat(400) }).success).toBe(true)
    expect(pageQuery.safeParse({ cursor: 'a'.repeat(401) }).success).toBe(false)
    expect(pageQuery.safeParse({ offset: '10' }).success).toBe(false)
  })
})
