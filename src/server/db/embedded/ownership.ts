// Keeps the owner lock for the server's whole life, and takes it again when Postgres drops the connection.
// Says whether this server still may stop the postmaster.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import type { Claim } from './claim.ts'
import { takeOwnerLock } from './owner-lock.ts'

export interface OwnershipOptions {
  readonly password: string
  readonly isRunning: () => Promise<boolean>
  readonly log: (line: string) => void
}

const REGAIN_MS = 30_000
const REGAIN_WAIT_MS = 1_000
const POLL_MS = 100

export class Ownership {
  readonly #port: number
  readonly #options: OwnershipOptions
  #client: Client
  #held = true
  #closing = false
  #regaining: Promise<void> = Promise.resolve()

  constructor(claim: Claim, options: OwnershipOptions) {
    this.#port = claim.port
    this.#options = options
    this.#client = claim.client
    this.#watch(claim.client)
  }

  /** Stops watching the connection; answers whether the lock is held, so that the postmaster may be stopped. */
  async settle(): Promise<boolean> {
    this.#closing = true
    await this.#regaining
    return this.#held
  }

  /** Ends the connection, and with it the lock. */
  async release(): Promise<void> {
    await this.#client.end().catch(() => {})
  }

  #watch(client: Client): void {
    let reason = 'the connection ended'
    client.on('error', (error) => {
      reason = error.message
    })
    client.once('end', () => {
      this.#held = false
      if (this.#closing) return
      this.#options.log(`embedded Postgres: owner connection lost (${reason})`)
      this.#regaining = this.#regain()
    })
  }

  async #regain(): Promise<void> {
    const deadline = performance.now() + REGAIN_MS
    while (!this.#closing && performance.now() < deadline) {
      if (await this.#tryRegain()) return
      await sleep(POLL_MS)
    }
    if (!this.#closing) this.#options.log('embedded Postgres: gave up regaining the data folder')
  }

  /** Answers whether there is nothing left to try. */
  async #tryRegain(): Promise<boolean> {
    const { password, isRunning, log } = this.#options
    if (!(await isRunning())) {
      log('embedded Postgres: the database process has ended, restart the server')
      return true
    }
    const outcome = await takeOwnerLock({ port: this.#port, password }, REGAIN_WAIT_MS)
    if (outcome.state === 'held') {
      this.#held = true
      this.#client = outcome.client
      this.#watch(outcome.client)
      log('embedded Postgres: owner connection regained')
      return true
    }
    if (outcome.state === 'taken') log('embedded Postgres: another server has taken over the data folder')
    return outcome.state === 'taken'
  }
}
