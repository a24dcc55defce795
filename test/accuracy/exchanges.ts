// Exchanges over raw connections, each judged by what was acknowledged before it began.

import { Connection, LOST, type Target } from '../bench/load/connection.ts'
import { pick } from './changes.ts'
import { type Expected, type Holder, watch } from './population.ts'

const REFUSAL = '{"error":"invalid_request","error_description":"subject_token is not valid"}'
const REQUEST_ID = /\r\nx-request-id: ([\w-]+)\r\n/i
const TOKEN_ID = /"jti":"([\w-]+)"/
/** So many that are wrong say enough. */
const MOST_TOLD = 20

/** What the clients heard. */
export class Hearsay {
  /** By request: the id of the token that came, or null for a refusal. */
  readonly outcomes = new Map<string, string | null>()
  /** Requests that were told to come back later: nothing was decided for them. */
  readonly unavailable = new Set<string>()
  readonly counts = { granted: 0, refused: 0, either: 0 }
  readonly wrong: string[] = []

  note(status: number, head: string, body: string, expected: Expected): void {
    const requestId = REQUEST_ID.exec(head)?.[1] ?? ''
    if (status === 200) this.#noteDecision(requestId, 'granted', expected, readTokenId(body))
    else if (status === 400 && body === REFUSAL) this.#noteDecision(requestId, 'refused', expected, null)
    else if (status === 503) this.unavailable.add(requestId)
    else this.#complain(`${requestId}: ${status} ${body}`)
  }

  #noteDecision(
    requestId: string,
    outcome: 'granted' | 'refused',
    expected: Expected,
    tokenId: string | null,
  ): void {
    this.counts[outcome] += 1
    this.outcomes.set(requestId, tokenId)
    if (expected === 'either') this.counts.either += 1
    else if (expected !== outcome) this.#complain(`${requestId}: ${outcome}`)
  }

  #complain(what: string): void {
    if (this.wrong.length < MOST_TOLD) this.wrong.push(what)
  }
}

function readTokenId(body: string): string {
  const { access_token: token } = JSON.parse(body) as { access_token: string }
  return TOKEN_ID.exec(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())?.[1] ?? ''
}

export interface ExchangesOptions {
  readonly targets: readonly Target[]
  /** To each target. */
  readonly connections: number
  readonly count: number
  readonly holders: readonly Holder[]
  readonly random: () => number
}

/** Exchanges credentials of these holders, so many in all. Rejects when an answer is lost. */
export async function exchangeMany(options: ExchangesOptions): Promise<Hearsay> {
  const { targets, connections, count, holders, random } = options
  const hearsay = new Hearsay()
  let left = count

  /** Resolves when there is nothing left to send, or the server takes nothing more over this connection. */
  const exchangeOver = (connection: Connection): Promise<void> =>
    new Promise((resolve, reject) => {
      const sendNext = (): void => {
        if (left === 0 || !connection.isOpen) {
          resolve()
          return
        }
        left -= 1
        const holder = pick(holders, random())
        const credential = pick(holder.credentials, random())
        const seeEnd = watch(holder, credential)
        connection.send(credential.request, (status, body, head) => {
          if (status === LOST) reject(new Error(body.toString()))
          else {
            hearsay.note(status, head, body.toString(), seeEnd())
            sendNext()
          }
        })
      }
      sendNext()
    })

  const exchangeWith = async (target: Target): Promise<void> => {
    while (left > 0) {
      const connection = await Connection.open(target)
      await exchangeOver(connection)
      connection.close()
    }
  }
  await Promise.all(
    targets.flatMap((target) => Array.from({ length: connections }, () => exchangeWith(target))),
  )
  return hearsay
}
