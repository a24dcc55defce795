// One statement for all that is looked up in one turn of the event loop, whatever kinds of things that are. Nothing
// outlives its answer. While as many statements as may run are under way, the next turns gather for the one after.

import DataLoader from 'dataloader'
import { type RawBuilder, sql } from 'kysely'
import type { Database } from './database.ts'
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
/** More would make smaller batches of the same look-ups; with one alone a lost answer would hold up everything. */
const STATEMENTS_AT_ONCE = 2

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

  const read = async (keys: readonly Key[]): Promise<unknown[]> => {
    onBatch?.(keys.length)
    const ids = named.map(([name]) => [...new Set(keys.flatMap((key) => (key.name === name ? key.id : [])))])
    const [row] = await run(db, ids)
    const found = new Map(named.map(([name, part]) => [name, part.read(row?.[name])]))
    return keys.map(({ name, id }) => found.get(name)?.get(id))
  }
  const gate = createGate(STATEMENTS_AT_ONCE)
  const loader = new DataLoader<Key, unknown>((keys) => read(keys).finally(gate.leave), {
    cache: false,
    maxBatchSize: MAX_BATCH,
    batchScheduleFn: gate.enter,
  })
  const loaders = named.map(([name]) => [name, (id: string) => loader.load({ name, id })])
  return Object.fromEntries(loaders) as Loaders<Values>
}

interface Key {
  readonly name: string
  readonly id: string
}

/** Lets `places` in at a time, each at the end of its turn at the earliest; whoever waits is let in first come first. */
function createGate(places: number) {
  const waiting: (() => void)[] = []
  let inside = 0
  const enter = (start: () => void): void => {
    if (inside === places) {
      waiting.push(start)
      return
    }
    inside += 1
    setImmediate(start)
  }
  const leave = (): void => {
    inside -= 1
    const next = waiting.shift()
    if (next) enter(next)
  }
  return { enter, leave }
}
