// Whoever revokes and issues, suspends and restores, while exchanges go on.

import { setTimeout as sleep } from 'node:timers/promises'
import { canary } from '../support/evidence.ts'
import type { HeldConnections } from '../support/held-connections.ts'
import type { Answer } from '../support/requests.ts'
import { Credential, createHolder, type Holder } from './population.ts'

export interface ChangesOptions {
  /** The servers, asked in turn. */
  readonly servers: readonly HeldConnections[]
  readonly adminToken: string
  readonly random: () => number
}

const LONGEST_PAUSE_MS = 20

export class Changes {
  readonly #options: ChangesOptions
  #turn = 0
  readonly counts = { revoked: 0, suspended: 0, restored: 0 }

  constructor(options: ChangesOptions) {
    this.#options = options
  }

  /** A new user who may read models, with this many credentials. */
  async createHolder(name: string, credentials: number): Promise<Holder> {
    const { adminToken } = this.#options
    const user = await this.#call(adminToken, 'POST', '/users', { email: `${name}@acme.test`, name })
    const userId = String(user.json['id'])
    const membership = { user_id: userId, role: 'analyst' }
    await this.#call(adminToken, 'POST', '/organizations/acme/members', membership)
    const values = await Promise.all(Array.from({ length: credentials }, () => this.#issue(userId)))
    return createHolder(userId, values)
  }

  /** Changes one of these after the other until it is aborted. */
  async changeUntil(done: AbortSignal, holders: readonly Holder[]): Promise<void> {
    const { random } = this.#options
    while (!done.aborted) {
      const holder = pick(holders, random())
      if (random() < 0.5) await this.#suspendAndRestore(holder)
      else await this.#revokeAndReplace(holder)
      await this.#pause()
    }
  }

  async #suspendAndRestore({ userId, standing }: Holder): Promise<void> {
    const become = async (status: string): Promise<void> => {
      await this.#call(this.#options.adminToken, 'PATCH', `/users/${userId}`, { status })
    }
    await standing.turn(false, () => become('suspended'))
    this.counts.suspended += 1
    await this.#pause()
    await standing.turn(true, () => become('active'))
    this.counts.restored += 1
  }

  async #revokeAndReplace({ userId, credentials }: Holder): Promise<void> {
    const credential = pick(credentials, this.#options.random())
    await credential.life.turn(false, async () => {
      await this.#call(credential.value, 'DELETE', credential.path)
    })
    this.counts.revoked += 1
    await this.#pause()
    credentials[credentials.indexOf(credential)] = new Credential(await this.#issue(userId))
  }

  async #issue(userId: string): Promise<string> {
    const body = { name: crypto.randomUUID() }
    const { json } = await this.#call(this.#options.adminToken, 'POST', `/users/${userId}/tokens`, body)
    return canary(String(json['token']))
  }

  async #call(token: string, method: string, path: string, body?: unknown): Promise<Answer> {
    this.#turn += 1
    const { servers } = this.#options
    const answer = await pick(servers, (this.#turn % servers.length) / servers.length).call(
      token,
      method,
      path,
      body,
    )
    // Whoever is not obeyed shows nothing by what comes after.
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`)
    return answer
  }

  #pause(): Promise<unknown> {
    return sleep(this.#options.random() * LONGEST_PAUSE_MS)
  }
}

/** One of several, by a number from 0 up to 1. */
export function pick<T>(all: readonly T[], chance: number): T {
  const one = all[Math.floor(chance * all.length)]
  if (one === undefined) throw new RangeError('there is none')
  return one
}
