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

/** Where connections come from, when that is to look like many places. */
export interface Origins {
  /** The next of this machine's own addresses. */
  readonly next: () => string
  /** After so many requests a connection gives way to one from the next address. */
  readonly requests: number
}

export interface LoadOptions {
  readonly target: Target
  readonly connections: number
  /** The next request; null when there are no more. */
  readonly next: () => Buffer | null
  readonly origins?: Origins
}
