// One statement for all that is looked up in one turn of the event loop, whatever kinds of things that are. Nothing
// outlives its answer. While a statement is under way, the next turns gather for the one after, and under load a few more:
// a statement by itself costs as much as the credentials of twenty exchanges that it reads.

import DataLoader from 'dataloader'
import { type RawBuilder, sql } from 'kysely'
import type { Database } from './database.ts'
import { createGate } from './gate.ts'
import { prepareStatement } from './prepared.ts'

/** How one kind of thing is looked up: as a part of a statement that looks up others as well. */
export interface Part<Value> {
  /** A scalar subquery that gives all of these ids as one JSON value, and names `ids` once. */
  readonly select: (ids: readonly string[]) => RawBuilder<unknown>
  /** The things of that value by id; unknown ids are absent. */
  readonly read: (json: unknown) => ReadonlyMap<string, Value>
}

/** What is asked of a look-up's batches, for whoever watches them. */
export interface TurnReaderOptions {
  readonly onBatch?: (size: number) => void
}

type Loaders<Values> = {
  readonly [Name in keyof Values]: (id: string) => Promise<Values[Name] | undefined>
}

const MAX_BATCH = 500
/** A statement that takes longer than this does not hold up the next one: its connection may be lost. */
const PATIENCE_MS = 50
/** Whoever comes while so many are late waits for one of them. */
const STATEMENTS_AT_ONCE = 2
/** Where several ask at once, so many turns go together. By turns and not by time: those of a busy process are long. */
const BUSY_TURNS = 3

/** Builds a function per part that looks one thing up. Each rejects when the statement of its turn fails. */
export function createTurnReader<Values extends Record<string, unknown>>(
  db: Database,
  parts: { readonly [Name in keyof Values]: Part<Values[Name]> },
  { onBatch }: TurnReaderOptions = {},
): Loaders<Values> {
  const named = Object.entries(parts) as [string, Part<unknown>][]
  const columns = named.map(([name, { select }]) => sql`${select([])} as ${sql.ref(name)}`)
  const name = `read_${named.map(([part]) => part).join('_and_')}`
  const statement = sql`select ${sql.join(columns)}`.compile(db).sql
  const run = prepareStatement<Record<string, unknown>>(name, statement)

  let isBusy = false
  const read = async (keys: readonly Key[]): Promise<unknown[]> => {
    onBatch?.(keys.length)
    // More than what one request asks for.
    isBusy = keys.length > named.length
    const ids = named.map(([name]) => [...new Set(keys.flatMap((key) => (key.name === name ? key.id : [])))])
    const [row] = await run(db, ids)
    const found = new Map(named.map(([name, part]) => [name, part.read(row?.[name])]))
    return keys.map(({ name, id }) => found.get(name)?.get(id))
  }
  const gather = (start: () => void): void => afterTurns(isBusy ? BUSY_TURNS : 1, start)
  const gate = createGate(STATEMENTS_AT_ONCE, PATIENCE_MS, gather)
  const loader = new DataLoader<Key, unknown>((keys) => gate.stay(read(keys)), {
    cache: false,
    maxBatchSize: MAX_BATCH,
    batchScheduleFn: gate.enter,
  })
  const loaders = named.map(([name]) => [name, (id: string) => loader.load({ name, id })])
  return Object.fromEntries(loaders) as Loaders<Values>
}

function afterTurns(turns: number, start: () => void): void {
  setImmediate(() => (turns > 1 ? afterTurns(turns - 1, start) : start()))
}

interface Key {
  readonly name: string
  readonly id: string
}
