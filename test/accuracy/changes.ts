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
const RETRY_MS = 200

type Call = [token: string, method: string, path: string, body?: () => unknown]

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
    const user = await this.#call(adminToken, 'POST', '/users', () => ({ email: `${name}@acme.test`, name }))
    const userId = String(user.json['id'])
    const membership = () => ({ user_id: userId, role: 'analyst' })
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
      await this.#call(this.#options.adminToken, 'PATCH', `/users/${userId}`, () => ({ status }))
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
      const { status } = await this.#insist(credential.value, 'DELETE', credential.path)
      // One that was told to come back later may have been heard all the same.
      if (status !== 204 && status !== 401) throw new Error(`not revoked: ${status}`)
    })
    this.counts.revoked += 1
    await this.#pause()
    credentials[credentials.indexOf(credential)] = new Credential(await this.#issue(userId))
  }

  async #issue(userId: string): Promise<string> {
    const body = (): unknown => ({ name: crypto.randomUUID() })
    const { json } = await this.#call(this.#options.adminToken, 'POST', `/users/${userId}/tokens`, body)
    return canary(String(json['token']))
  }

  async #call(...call: Call): Promise<Answer> {
    const answer = await this.#insist(...call)
    // Whoever is not obeyed shows nothing by what comes after.
    if (answer.status >= 300) throw new Error(`${call[1]} ${call[2]}: ${answer.text}`)
    return answer
  }

  /** The first answer that is not to come back later. */
  async #insist(...[token, method, path, body]: Call): Promise<Answer> {
    for (;;) {
      this.#turn += 1
      const { servers } = this.#options
      const server = pick(servers, (this.#turn % servers.length) / servers.length)
      const answer = await server.call(token, method, path, body?.())
      if (answer.status !== 503) return answer
      await sleep(RETRY_MS)
    }
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
