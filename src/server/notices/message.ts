// What a notice says, whichever way it goes out: facts of the moment it is sent, and nothing secret.

import type { CredentialKind } from '../../protocol/credential.ts'
import type { Ending } from './due.ts'

export interface Message {
  /** Of the notice: the same at every try. */
  readonly id: string
  readonly createdAt: Date
  readonly days: number
  readonly endsAt: Date
  readonly cause: Ending['cause']
  readonly credential: {
    readonly id: string
    readonly kind: CredentialKind
    readonly name: string
    /** For people to recognize it by. */
    readonly prefix: string
  }
  /** Slug. */
  readonly organization: string
  /** Null for an API key. */
  readonly owner: Person | null
}

export interface Person {
  readonly id: string
  readonly name: string
  readonly email: string
}

/** Whom a mail goes to. */
export type Recipient = Pick<Person, 'id' | 'email'>

/**
 * Hands a message over. Rejects with `DeliveryProblem` when that did not work, and with whatever else went wrong; until
 * `signal` is aborted.
 */
export type Send = (message: Message, signal: AbortSignal) => Promise<void>

/** Why a message was not taken, in words that anyone may read who may read notices. */
export class DeliveryProblem extends Error {
  /** Whether there is no point in trying again. */
  readonly isFinal: boolean

  constructor(reason: string, options: { readonly isFinal?: boolean; readonly cause?: unknown } = {}) {
    super(reason, { cause: options.cause })
    this.isFinal = options.isFinal ?? false
  }
}

/** Why a message was not taken for some of the people it is for. */
export class PartlyDelivered extends DeliveryProblem {
  /** Ids of those who have it. */
  readonly told: readonly string[]

  constructor(reason: string, told: readonly string[]) {
    super(reason)
    this.told = told
  }
}

/** The same in a few words, whatever it was that went wrong: a system's own code, but no text of others. */
export function tellReason(error: unknown): string {
  if (error instanceof DeliveryProblem) return error.message
  if (!(error instanceof Error)) return 'it failed'
  // nodemailer has kinds of its own, and keeps what the system or TLS said aside.
  const { code, originalCode = code } = error as { code?: unknown; originalCode?: unknown }
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'it took too long'
  return typeof originalCode === 'string' && /^[\w-]{1,60}$/.test(originalCode) ? originalCode : 'it failed'
}
