// The status lists of the issuer, as this process knows them: which list a token names, and what it says. Lists are
// fetched from below one place that was configured, whatever a token says, and kept as every document of the issuer is.

import { decodeJwt } from 'jose'
import type { AccessTokenClaims } from '../protocol/access-token.ts'
import { STATUS_LIST_MEDIA_TYPE, type StatusReference } from '../protocol/status-list.ts'
import { fetchDocument, type Transport } from './fetch-document.ts'
import { type Copy, KeptDocument, PATIENCE_MS } from './kept-document.ts'
import type { StatusListSettings } from './options.ts'
import type { RemoteKeys } from './remote-keys.ts'
import { type Schedule, settleWithin } from './schedule.ts'
import { dateCopy, type KeyFinder, readSignedList, type SignedList } from './signed-list.ts'
import { MAX_AHEAD_MS, requireValidStatus } from './status-list.ts'
import { VerifyError } from './verify-error.ts'

export interface StatusListsSettings extends Transport {
  readonly issuer: string
  readonly statusList: StatusListSettings
  readonly clockToleranceSeconds: number
  readonly now: () => Date
  readonly schedule: Schedule
  readonly onFetched?: (() => void) | undefined
}

/** 2^20 entries of eight bits that nothing could pack, in base64url twice over. */
const MAX_JWT_BYTES = 2 * 1024 * 1024
const MAX_LISTS = 64
/** Pause before a list is asked for again whose key was withdrawn. */
const RENEW_PAUSE_MS = 5_000
const LIST_NUMBER = /^\/(?:0|[1-9]\d{0,8})$/

export class StatusLists {
  readonly #settings: StatusListsSettings
  readonly #keys: RemoteKeys
  readonly #lists = new Map<string, KeptDocument<SignedList>>()
  #isClosed = false

  constructor(settings: StatusListsSettings, keys: RemoteKeys) {
    this.#settings = settings
    this.#keys = keys
  }

  /**
   * Throws `VerifyError` for a token whose credential does not work any more, at once where its list is known. Else it
   * waits for the list, for as long as a verification that began at `startedAt` may wait for the issuer; `status_unavailable`
   * where none is to be had.
   */
  check({ status }: Pick<AccessTokenClaims, 'status'>, startedAt: Date): void | Promise<void> {
    if (!status) throw new VerifyError('claim_missing', 'The token has no status claim')
    const { uri, idx } = status.status_list
    const nowMs = this.#settings.now().getTime()
    const list = this.#lists.get(uri)?.peek(nowMs)
    if (list && this.#isSignedByKnown(list, nowMs)) return requireValidStatus(list, idx)
    const waitedMs = Math.max(0, nowMs - startedAt.getTime())
    return this.#waitAndCheck(status.status_list, waitedMs)
  }

  /** The lists that are known, as they were signed. */
  listJwts(): string[] {
    return Array.from(this.#lists.values()).flatMap(({ copy }) => copy?.value.jwt ?? [])
  }

  /** Takes a list that was kept elsewhere, if it holds and is newer than what is known. Does no I/O, and never rejects. */
  async adopt(jwt: string): Promise<boolean> {
    try {
      const { sub: uri = '' } = decodeJwt(jwt)
      const kept = this.#open(uri)
      const list = await this.#readSigned(jwt, uri, (header) => this.#keys.findKnown(header))
      return kept.adopt(dateCopy(list, list.issuedAt, this.#settings.statusList.maxStaleSeconds))
    } catch {
      return false
    }
  }

  close(): void {
    this.#isClosed = true
    for (const kept of this.#lists.values()) kept.close()
  }

  async #waitAndCheck({ uri, idx }: StatusReference, waitedMs: number): Promise<void> {
    const kept = this.#open(uri)
    const waitMs = Math.max(0, this.#settings.timeoutMs - waitedMs)
    const find = async () =>
      (await this.#read(kept, Math.max(0, PATIENCE_MS - waitedMs))) ?? (await this.#renew(kept))
    const list = (await settleWithin(find(), this.#settings.schedule, waitMs)) ?? this.#readUsable(kept)
    if (!list) {
      throw new VerifyError('status_unavailable', 'The status of the token cannot be told', kept.failure)
    }
    requireValidStatus(list, idx)
  }

  #open(uri: string): KeptDocument<SignedList> {
    const known = this.#lists.get(uri)
    if (known) return known
    const { identifier } = this.#settings.statusList
    if (!uri.startsWith(identifier) || !LIST_NUMBER.test(uri.slice(identifier.length))) {
      throw new VerifyError('claim_invalid', 'The status claim of the token is not valid')
    }
    const kept = new KeptDocument<SignedList>({
      ...this.#settings,
      fetch: (signal) => this.#fetchList(uri, signal),
      choose: (offered, atHand) => this.#choose(offered, atHand),
    })
    if (this.#isClosed) kept.close()
    this.#lists.set(uri, kept)
    this.#dropOldest()
    return kept
  }

  #dropOldest(): void {
    const [oldest] = this.#lists
    if (this.#lists.size <= MAX_LISTS || !oldest) return
    oldest[1].retire()
    this.#lists.delete(oldest[0])
  }

  #readUsable({ usable: list }: KeptDocument<SignedList>): SignedList | undefined {
    return list && this.#isSignedByKnown(list, this.#settings.now().getTime()) ? list : undefined
  }

  #isSignedByKnown({ header, key }: SignedList, nowMs: number): boolean {
    return this.#keys.peek(header, nowMs) === key
  }

  async #read(kept: KeptDocument<SignedList>, patienceMs?: number): Promise<SignedList | undefined> {
    const list = await kept.get(patienceMs)
    return list && (await this.#isPublished(list)) ? list : undefined
  }

  async #renew(kept: KeptDocument<SignedList>): Promise<SignedList | undefined> {
    await kept.refresh(RENEW_PAUSE_MS)
    return this.#read(kept)
  }

  async #isPublished({ header, key }: SignedList): Promise<boolean> {
    return (await this.#keys.find(header).catch(() => undefined)) === key
  }

  async #fetchList(uri: string, signal: AbortSignal): Promise<Copy<SignedList>> {
    const { statusList } = this.#settings
    const url = statusList.url + uri.slice(statusList.identifier.length)
    const request = { url, accept: STATUS_LIST_MEDIA_TYPE, maxBytes: MAX_JWT_BYTES }
    const { text } = await fetchDocument(request, { ...this.#settings, signal })
    const fetched = await this.#readSigned(text, uri, (header) => this.#keys.findForIssued(header))
    return dateCopy(fetched, this.#settings.now().getTime(), statusList.maxStaleSeconds)
  }

  /** A cache that is behind must not undo a revocation that is known, nor may a clock that was wrong keep one from being seen. */
  #choose(offered: Copy<SignedList>, { value: atHand }: Copy<SignedList>): Copy<SignedList> {
    const isNewer = offered.value.issuedAt > atHand.issuedAt
    const isFromFuture = atHand.issuedAt > this.#settings.now().getTime() + MAX_AHEAD_MS
    if (isNewer || isFromFuture || !this.#keys.isKnown(atHand.header, atHand.key)) return offered
    return dateCopy(atHand, offered.fetchedAt, this.#settings.statusList.maxStaleSeconds)
  }

  #readSigned(jwt: string, uri: string, findKey: KeyFinder): Promise<SignedList> {
    return readSignedList(jwt, { ...this.#settings, uri }, findKey, this.#settings.now().getTime())
  }
}
