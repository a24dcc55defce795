// Token status lists as this process gives them out (draft-ietf-oauth-status-list-21 sections 5.1 and 9). A list is made
// when it is asked for and the last one is a third of a ttl old; while the database is away, the last one holds until it
// expires.

import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import {
  ENTRIES_PER_LIST,
  nameStatusList,
  STATUS,
  type StatusListClaims,
} from '../../protocol/status-list.ts'
import { encodeStatusList } from './encode-status-list.ts'
import { type Dated, Kept } from './kept.ts'
import type { StoppedCredentials } from './store.ts'

export interface StatusListsOptions {
  readonly issuer: string
  readonly ttlSeconds: number
  readonly lifetimeSeconds: number
  readonly countLists: () => Promise<number>
  readonly findStopped: (list: number, now: Date) => Promise<StoppedCredentials>
  readonly sign: (claims: StatusListClaims, now: Date) => Promise<string>
  /** Whether the key a list was signed with still stands in the JWKS: it may have been withdrawn. */
  readonly isVerifiable: (token: string) => boolean
  readonly clock: () => Date
  /** Told when something could not be read anew; what there is goes on. */
  readonly onError: (error: unknown) => void
}

/** A signed list, as it is and compressed. */
interface SignedList {
  readonly token: string
  readonly gzipped: Buffer
}

export interface StatusList extends SignedList {
  /** How long a cache may give it to others. */
  readonly maxAgeSeconds: number
}

const BITS = 2
const compress = promisify<string, Buffer>(gzip)

export class StatusLists {
  readonly #options: StatusListsOptions
  readonly #count: Kept<number>
  readonly #lists = new Map<number, Kept<SignedList>>()
  #ageMs = 0

  constructor(options: StatusListsOptions) {
    this.#options = options
    this.#count = this.#keep(options.countLists, Number.POSITIVE_INFINITY)
  }

  /** How old the list was that was given out last. */
  get ageSeconds(): number {
    return this.#ageMs / 1000
  }

  /** A list by its number; `undefined` when there is none. Fails when it cannot be made and no last one holds. */
  async find(list: number): Promise<StatusList | undefined> {
    // No list goes away: who waits for a database that does not answer waits for the list, and not for their number as well.
    if (!this.#lists.has(list) && !(await this.#exists(list))) return undefined
    const { lifetimeSeconds } = this.#options
    const kept = this.#lists.get(list) ?? this.#keep((now) => this.#make(list, now), lifetimeSeconds * 1000)
    this.#lists.set(list, kept)
    const last = await kept.get()
    const { isVerifiable } = this.#options
    return this.#giveOut(isVerifiable(last.value.token) ? last : await kept.renew())
  }

  /** The URIs of all lists, for as long as they are known. */
  async listUris(): Promise<string[]> {
    const { value: count } = await this.#count.get()
    return Array.from({ length: count }, (_, list) => nameStatusList(this.#options.issuer, list))
  }

  /** Only what is known to exist is known for long: the next list begins with a credential that was made just now. */
  async #exists(list: number): Promise<boolean> {
    return list < (await this.#count.get()).value || list < (await this.#count.renew()).value
  }

  #keep<Value>(read: (now: Date) => Promise<Value>, holdsMs: number): Kept<Value> {
    const { ttlSeconds, clock, onError } = this.#options
    return new Kept({ read, freshMs: (ttlSeconds * 1000) / 3, holdsMs, clock, onError })
  }

  async #make(list: number, now: Date): Promise<SignedList> {
    const { issuer, ttlSeconds, lifetimeSeconds, findStopped, sign } = this.#options
    const statuses = listStatuses(await findStopped(list, now))
    const iat = Math.floor(now.getTime() / 1000)
    const claims = {
      sub: nameStatusList(issuer, list),
      iat,
      exp: iat + lifetimeSeconds,
      ttl: ttlSeconds,
      status_list: await encodeStatusList(ENTRIES_PER_LIST, BITS, statuses),
    }
    const token = await sign(claims, now)
    return { token, gzipped: await compress(token) }
  }

  #giveOut({ value, readAt }: Dated<SignedList>): StatusList {
    const { ttlSeconds, clock } = this.#options
    this.#ageMs = Math.max(0, clock().getTime() - readAt.getTime())
    // Older than half a ttl no cache gives it out, so that the other half is left to whoever gets it.
    const maxAgeSeconds = Math.max(0, Math.floor(ttlSeconds / 2 - this.ageSeconds))
    return { ...value, maxAgeSeconds }
  }
}

/** What ended is written last: nothing suspends it. */
function* listStatuses({ invalid, suspended }: StoppedCredentials): Generator<[number, number]> {
  for (const index of suspended) yield [index, STATUS.suspended]
  for (const index of invalid) yield [index, STATUS.invalid]
}
