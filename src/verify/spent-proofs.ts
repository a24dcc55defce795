// Proofs that this process has accepted, so that none is accepted twice (RFC 9449 section 11.1). Bounded: what does not
// fit is refused, for forgetting one that could still be sent again would let it through.

import { VerifyError } from './verify-error.ts'

export class SpentProofs {
  readonly #limit: number
  readonly #now: () => Date
  /** Until when each is remembered, in milliseconds since the epoch. All are for as long, so that the oldest come first. */
  readonly #spent = new Map<string, number>()

  constructor(limit: number, now: () => Date) {
    this.#limit = limit
    this.#now = now
  }

  /** False for one that was noted already. Throws `VerifyError` `replay_memory_full` (503). */
  noteOnce(id: string, seconds: number): boolean {
    const nowMs = this.#now().getTime()
    this.#forgetUntil(nowMs)
    if (this.#spent.has(id)) return false
    if (this.#spent.size >= this.#limit) {
      throw new VerifyError('replay_memory_full', 'More proofs came than can be remembered')
    }
    this.#spent.set(id, nowMs + seconds * 1000)
    return true
  }

  #forgetUntil(nowMs: number): void {
    for (const [id, until] of this.#spent) {
      if (until > nowMs) return
      this.#spent.delete(id)
    }
  }
}
