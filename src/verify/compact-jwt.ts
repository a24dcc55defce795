// The shape of a JWT in compact serialization (RFC 7515 section 7.1), checked before anything is decoded.

/** Far above any token Patmint issues, far below what would be work to look at. */
const MAX_LENGTH = 16 * 1024

// Decoders forgive padding, line breaks and stray bits in the last character (RFC 4648 section 3.5), so that one
// token would have many spellings. This leaves exactly one.
const PART = '(?:[\\w-]{4})*(?:[\\w-]{4}|[\\w-]{2}[AEIMQUYcgkosw048]|[\\w-][AQgw])'
const COMPACT = new RegExp(`^${PART}\\.${PART}\\.${PART}$`)

/** Whether `value` is text that is not longer than a token may be. */
export const isShort = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_LENGTH

/** Whether `value` is three parts of canonical base64url and at most 16 KiB. */
export const isCompactJwt = (value: unknown): value is string => isShort(value) && COMPACT.test(value)
