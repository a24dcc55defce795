// Requests under way against one server, however their times of departure are chosen.

import type { Target } from './connection.ts'
import type { Tally } from './tally.ts'

export interface Load {
  /** From here on requests are counted; null: no longer. */
  count(tally: Tally | null): void
  /** Resolves when there are no more requests; never, when they are repeated. */
  readonly spent: Promise<void>
  /** Sends nothing more, and waits for what is under way. */
  stop(): Promise<void>
}

export interface LoadOptions {
  readonly target: Target
  readonly connections: number
  /** The next request; null when there are no more. */
  readonly next: () => Buffer | null
  /** This machine's own addresses the connections come from, in turn. */
  readonly from?: readonly string[]
}
