// Nonces of the server (RFC 9449 section 8). None is stored: each is an HMAC over its span of time, under a key that all
// instances derive, so that whichever one gave it, every other takes it.

import { createHmac } from 'node:crypto'
import type { DerivedKeys } from '../secret/secret-keys.ts'

/** A nonce is given for one span, and accepted until the next one ends. */
export const NONCE_SPAN_SECONDS = 300

export interface Nonces {
  readonly issue: (now: Date) => string
  readonly accepts: (nonce: string, now: Date) => boolean
}

export function createNonces(keys: DerivedKeys): Nonces {
  const compose = (key: Buffer, span: number): string =>
    createHmac('sha256', key).update(String(span)).digest('base64url')
  return {
    issue: (now) => compose(keys.current.bytes, spanOf(now)),
    accepts: (nonce, now) =>
      keys.all.some(({ bytes }) => [0, 1].some((age) => compose(bytes, spanOf(now) - age) === nonce)),
  }
}

const spanOf = (now: Date): number => Math.floor(now.getTime() / 1000 / NONCE_SPAN_SECONDS)
