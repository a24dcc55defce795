// Token Status List (draft-ietf-oauth-status-list-21): its words on the wire, which list says what became of which
// token, and a list as text (sections 4.1 and 4.2).

import { promisify } from 'node:util'
import { constants, deflate } from 'node:zlib'

/** `typ` of the JOSE header (section 5.1). */
export const STATUS_LIST_TYP = 'statuslist+jwt'
export const STATUS_LIST_MEDIA_TYPE = `application/${STATUS_LIST_TYP}`

/** What lies below it is one list; itself it names them all (section 9). */
export const STATUS_LISTS_PATH = '/oauth2/status-lists'

/** Statuses (section 7.1): refused for good, and for now. */
export const STATUS = { valid: 0, invalid: 1, suspended: 2 } as const

export const ENTRIES_PER_LIST = 2 ** 20

/** `status_list` of a token whose status stands in a list (section 6.2). */
export interface StatusReference {
  readonly idx: number
  readonly uri: string
}

/** Claims of a Status List Token (section 5.1). Instants are seconds since the epoch. */
export interface StatusListClaims {
  /** Its own URI. */
  readonly sub: string
  readonly iat: number
  readonly exp: number
  /** How long a verifier may go on with it before it looks for a newer one. */
  readonly ttl: number
  readonly status_list: EncodedStatusList
}

export interface EncodedStatusList {
  readonly bits: StatusBits
  readonly lst: string
}

export type StatusBits = 1 | 2 | 4 | 8

export const nameStatusList = (issuer: string, list: number): string =>
  `${issuer}${STATUS_LISTS_PATH}/${list}`

/** Where the token with this status index is found. */
export const referToStatus = (issuer: string, statusIndex: number): StatusReference => ({
  idx: statusIndex % ENTRIES_PER_LIST,
  uri: nameStatusList(issuer, listOf(statusIndex)),
})

/** The number of the list that a status index stands in. */
export const listOf = (statusIndex: number): number => Math.floor(statusIndex / ENTRIES_PER_LIST)

/**
 * A list of `size` statuses, of `bits` bits each, that are 0 but for `entries`: pairs of an index below `size` and a
 * status. The last pair of an index counts.
 */
export async function encodeStatusList(
  size: number,
  bits: StatusBits,
  entries: Iterable<readonly [index: number, status: number]>,
): Promise<EncodedStatusList> {
  const bytes = new Uint8Array(Math.ceil((size * bits) / 8))
  for (const [index, status] of entries) setStatus(bytes, bits, index, status)
  const lst = await compress(bytes, { level: constants.Z_BEST_COMPRESSION })
  return { bits, lst: lst.toString('base64url') }
}

const compress = promisify<Uint8Array, { level: number }, Buffer>(deflate)

/** Statuses fill a byte from its least significant bit on. */
function setStatus(bytes: Uint8Array, bits: StatusBits, index: number, status: number): void {
  const at = Math.floor((index * bits) / 8)
  const shift = (index * bits) % 8
  const others = ~((2 ** bits - 1) << shift)
  bytes[at] = ((bytes[at] ?? 0) & others) | (status << shift)
}
