// Pages of a list: `{ items, next_cursor }`. A cursor is opaque to clients: the last row's order key in base64url.

import { z } from 'zod'
import { Problem } from '../http/problem.ts'

const CURSOR = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+)$/

/** Query of every list. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Items of a page'),
  cursor: z.string().max(400).describe('`next_cursor` of the page before').optional(),
})

/** What a list of `item` answers. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    next_cursor: z.string().nullable().describe('Null on the last page'),
  })

export interface PageKey {
  readonly createdAt: Date
  readonly id: string
}

const encodeCursor = ({ createdAt, id }: PageKey): string =>
  Buffer.from(`${createdAt.toISOString()} ${id}`).toString('base64url')

/** Reads a cursor of a list whose ids look like `idFormat`; 400 for anything that list did not hand out. */
export function decodeCursor(cursor: string | undefined, idFormat: z.ZodString): PageKey | null {
  if (cursor === undefined) return null
  const [, instant = '', id = ''] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  const key = { createdAt: new Date(instant), id }
  const isOurs =
    !Number.isNaN(key.createdAt.getTime()) && idFormat.safeParse(id).success && encodeCursor(key) === cursor
  if (!isOurs) throw new Problem('invalid_request', 'cursor: is not one this list gave')
  return key
}

/** A page from `rows`, of which one more than `limit` were asked for. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => PageKey,
  view: (row: Row) => Item,
): { items: Item[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(view),
    next_cursor: last && rows.length > limit ? encodeCursor(keyOf(last)) : null,
  }
}
