// Clients that create, revoke and exchange until the server is killed under them, and note what they were told.

import { API } from '../support/acme.ts'
import { canary } from '../support/evidence.ts'
import { holdConnections } from '../support/held-connections.ts'
import type { Answer } from '../support/requests.ts'
import type { Journal } from './journal.ts'

export interface ClientsOptions {
  readonly url: string
  readonly adminToken: string
  readonly userId: string
  readonly journal: Journal
  readonly random: () => number
}

const CREATING = 3
const REVOKING = 2
const EXCHANGING = 6

/** What became of a request; undefined when the server was gone before it answered. */
type Told = Answer | undefined

/** Works until `killed` is aborted; resolves when everybody has heard, or will not hear any more. */
export async function workUntil(killed: AbortSignal, options: ClientsOptions): Promise<void> {
  const connections = holdConnections(options.url, CREATING + REVOKING + EXCHANGING)
  const tell = (answering: Promise<Answer>): Promise<Told> => answering.catch(() => undefined)
  const { adminToken, userId, journal, random } = options

  const create = async (): Promise<void> => {
    const body = { name: `crash ${crypto.randomUUID()}` }
    const told = await tell(connections.call(adminToken, 'POST', `/users/${userId}/tokens`, body))
    if (told?.status === 201) journal.noteCreation(canary(String(told.json['token'])))
    else noteUnexpected(journal, told, 'a creation')
  }

  const revoke = async (): Promise<void> => {
    const credential = journal.pickToRevoke(random())
    if (credential === undefined) return
    const path = `/tokens/${credential.slice(4, 20)}`
    const told = await tell(connections.call(credential, 'DELETE', path))
    if (told?.status === 204) journal.noteRevocation(credential)
    else noteUnexpected(journal, told, 'a revocation')
  }

  const exchange = async (): Promise<void> => {
    const credential = journal.pick(random())
    if (credential === undefined) return
    const told = await tell(connections.exchange(credential, API))
    if (told?.status === 200) journal.noteToken(String(told.json['access_token']))
    else if (told?.status !== 400 || journal.judge(credential, 400) !== null)
      noteUnexpected(journal, told, 'an exchange')
  }

  const repeat = async (step: () => Promise<void>): Promise<void> => {
    while (!killed.aborted) {
      await step()
      // Else those who find nothing to do would keep the others from doing anything.
      await new Promise(setImmediate)
    }
  }
  const steps = [
    ...Array(CREATING).fill(create),
    ...Array(REVOKING).fill(revoke),
    ...Array(EXCHANGING).fill(exchange),
  ] as (() => Promise<void>)[]
  await Promise.all(steps.map(repeat))
  connections.close()
}

/** A lost answer and a 503 are what crashes bring about; anything else is wrong. */
function noteUnexpected(journal: Journal, told: Told, what: string): void {
  if (told && told.status !== 503) journal.wrong.push(`${what} was answered with ${told.status} ${told.text}`)
}
