// Token Status List (draft-ietf-oauth-status-list-21): its words on the wire, and which list says what became of which
// token.

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
