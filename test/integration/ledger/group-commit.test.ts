// Which records share a transaction.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../../src/server/db/database.ts'
import { migrate } from '../../../src/server/db/migrator.ts'
import type { AuditEvent } from '../../../src/server/ledger/event.ts'
import { Ledger } from '../../../src/server/ledger/ledger.ts'
import { createTestDatabase } from '../../support/test-database.ts'

const makeEvent = (): AuditEvent => ({ type: 'exchange.granted', occurredAt: new Date() })

describe('a group of records', () => {
  let db: Database
  beforeAll(async () => {
    const url = await createTestDatabase()
    await migrate(url)
    db = openDatabase({ url, maxConnections: 1 })
    // The first use of a connection takes its time.
    await new Ledger(db).record(makeEvent())
  })
  afterAll(() => db.destroy())

  /** Asks for so many records, one per turn of the event loop; gives the sizes of their transactions. */
  async function recordByTurns(count: number, isPressed: () => boolean): Promise<number[]> {
    const sizes: number[] = []
    const ledger = new Ledger(db, { isPressed, onCommit: ({ size }) => sizes.push(size) })
    const records: Promise<void>[] = []
    for (let turn = 0; turn < count; turn += 1) {
      records.push(ledger.record(makeEvent()))
      await nextTurn()
      await nextTurn()
    }
    await Promise.all(records)
    return sizes
  }

  it('is what one turn of the event loop asks for, when nothing is pressing', async () => {
    const sizes: number[] = []
    const ledger = new Ledger(db, { onCommit: ({ size }) => sizes.push(size) })
    await Promise.all([ledger.record(makeEvent()), ledger.record(makeEvent())])
    expect(sizes).toEqual([2])
  })

  it('does not wait for the next turn, when nothing is pressing', async () => {
    const [first] = await recordByTurns(3, () => false)
    expect(first).toBe(1)
  })

  it('waits for later turns while requests queue for a processor', async () => {
    expect(await recordByTurns(3, () => true)).toEqual([3])
  })

  it('is through when the ledger has drained, also one that waits', async () => {
    const ledger = new Ledger(db, { isPressed: () => true })
    let isDurable = false
    void ledger.record(makeEvent()).then(() => {
      isDurable = true
    })
    await ledger.drain()
    expect(isDurable).toBe(true)
  })
})
