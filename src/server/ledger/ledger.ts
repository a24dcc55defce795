// Durable records, committed in groups: whoever asks while a transaction is under way shares the next one. A caller
// that has waited for `record` knows its record is on disk.

import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, isDatabaseAway } from '../db/database.ts'
import { TimeLimitPassed } from '../db/time-limit.ts'
import type { AuditEvent } from './event.ts'
import { appendWithUses, type CredentialUse, isWorthNoting } from './store.ts'

interface Entry {
  readonly event: AuditEvent | null
  readonly use: CredentialUse | null
  readonly isAwaited: IsAwaited
  readonly settle: (error: unknown) => void
}

/** Whether anybody still waits for a record; asked before it is written. */
export type IsAwaited = () => boolean

const MAX_GROUP = 500
/** Under pressure a group gathers for so long, unless it has reached this size. */
const GATHER_MS = 12
const LARGE_GROUP = 20

/** A transaction that ended, for whoever watches. */
export interface GroupCommit {
  readonly size: number
  readonly durationMs: number
  readonly isDurable: boolean
}

export interface LedgerOptions {
  /** Told of each transaction. */
  readonly onCommit?: ((commit: GroupCommit) => void) | undefined
  /**
   * Whether requests queue for a processor: a small group then waits for more, because a transaction by itself costs
   * as much as the hash they queue for, and they wait longer for that.
   */
  readonly isPressed?: () => boolean
}

export class Ledger {
  readonly #db: Database
  readonly #onCommit: LedgerOptions['onCommit']
  readonly #isPressed: () => boolean
  readonly #pending: Entry[] = []
  #running: Promise<void> | null = null

  constructor(db: Database, { onCommit, isPressed = () => false }: LedgerOptions = {}) {
    this.#db = db
    this.#onCommit = onCommit
    this.#isPressed = isPressed
  }

  /** Records whose transaction has not begun. */
  get waiting(): number {
    return this.#pending.length
  }

  /**
   * Resolves once the record is durable, and the credential's use noted with it; rejects when it is not. What nobody
   * waits for by the time its turn comes has not happened, and is not written.
   */
  record(
    event: AuditEvent,
    use: CredentialUse | null = null,
    isAwaited: IsAwaited = () => true,
  ): Promise<void> {
    return this.#enqueue(event, use && isWorthNoting(use) ? use : null, isAwaited)
  }

  /** Notes the use of a credential that asks for no record of its own. */
  async touch(use: CredentialUse): Promise<void> {
    if (isWorthNoting(use)) await this.#enqueue(null, use, () => true)
  }

  /** Waits for everything that was asked for. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running
  }

  #enqueue(event: AuditEvent | null, use: CredentialUse | null, isAwaited: IsAwaited): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#pending.push({
      event,
      use,
      isAwaited,
      settle: (error) => (error === null ? resolve() : reject(error)),
    })
    this.#running ??= this.#run()
    return promise
  }

  async #run(): Promise<void> {
    // The rest of this event-loop turn joins the first group.
    await new Promise(setImmediate)
    while (this.#pending.length > 0) {
      if (this.#isPressed() && this.#pending.length < LARGE_GROUP) await sleep(GATHER_MS)
      const group = this.#pending.splice(0, MAX_GROUP).filter(isAwaitedOrTold)
      if (group.length > 0) await this.#settle(group)
    }
    this.#running = null
  }

  async #settle(group: readonly Entry[]): Promise<void> {
    const startedAt = performance.now()
    const error = await this.#commit(group).then(
      () => null,
      (cause: unknown) => cause,
    )
    this.#onCommit?.({
      size: group.length,
      durationMs: performance.now() - startedAt,
      isDurable: error === null,
    })
    // A record that cannot be written must not take the others of its group with it.
    if (error !== null && group.length > 1 && !isDatabaseAway(error)) {
      for (const entry of group) await this.#settle([entry])
      return
    }
    for (const { settle } of group) settle(error)
  }

  #commit(group: readonly Entry[]): Promise<void> {
    const events = group.flatMap(({ event }) => event ?? [])
    const uses = group.flatMap(({ use }) => use ?? [])
    return appendWithUses(this.#db, events, uses)
  }
}

/** An entry nobody waits for is rejected on the spot. */
function isAwaitedOrTold({ isAwaited, settle }: Entry): boolean {
  if (isAwaited()) return true
  settle(new TimeLimitPassed())
  return false
}
