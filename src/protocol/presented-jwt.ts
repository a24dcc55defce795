// A JWT somebody presented, before anything is known of it but its form.

import { Redacted } from './redacted.ts'

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/
const MAX_LENGTH = 16_384

export class PresentedJwt extends Redacted {
  readonly kind = 'jwt'
  readonly #text: string

  constructor(text: string) {
    super()
    this.#text = text
  }

  /** The token, for whoever checks its signature. */
  reveal(): string {
    return this.#text
  }
}

/** Reads a JWS in compact form (RFC 7515 section 3.1), strictly: jose accepts padding and line breaks inside a signature. */
export const parseJwt = (text: string): PresentedJwt | undefined =>
  text.length <= MAX_LENGTH && COMPACT.test(text) ? new PresentedJwt(text) : undefined
