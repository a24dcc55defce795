// Floods of what must be refused, and what they do to those who exchange a PAT that works meanwhile.

import { randomBytes } from 'node:crypto'
import { generateCredential } from '../../../src/protocol/credential.ts'
import { startClosedLoop } from '../load/closed-loop.ts'
import type { Origins } from '../load/load.ts'
import { composeExchange, repeatRequests } from '../load/requests.ts'
import type { Figures } from '../meter/figures.ts'
import type { Arena, Session } from './session.ts'

const CONNECTIONS = 64
const DIFFERENT_REQUESTS = 20_000
/** The hardest flood comes from so many places that none of them reaches a limit. */
const REQUESTS_PER_ADDRESS = 50
/** Refused, told to slow down, or told to come back: all are right. A token, or a fault, is not. */
const REFUSED = [400, 429, 503]

const BYSTANDER_CONNECTIONS = 16
const BYSTANDERS_PER_SECOND = 200

const generatePat = (): string => generateCredential('personal', randomBytes).reveal()

/** A typo: the checksum does not fit. */
const malform = (pat: string): string => pat.slice(0, -1) + (pat.endsWith('0') ? '1' : '0')

/** What somebody makes who has only seen the id of a PAT: all of it fits, but the secret. */
function inventSecret(pat: string): string {
  const id = Buffer.from(pat.slice('pat_'.length, 'pat_'.length + 16), 'hex')
  const random = (size: number): Uint8Array => (size === id.length ? id : randomBytes(size))
  return generateCredential('personal', random).reveal()
}

/** 127.1.0.0 and on, which are this machine too. No two floods come from the same: what one failed at is not the other's. */
function spreadOrigins(flood: number): Origins {
  let address = 0x7f_01_00_00 + flood * 0x01_00_00
  const next = (): string => {
    address += 1
    return [24, 16, 8, 0].map((shift) => (address >> shift) & 0xff).join('.')
  }
  return { next, requests: REQUESTS_PER_ADDRESS }
}

/** None of what is measured comes from there. */
const ONE_ORIGIN: Origins = { next: () => '127.0.0.2', requests: Number.MAX_SAFE_INTEGER }

const composeMany = (compose: (index: number) => string): (() => Buffer) =>
  repeatRequests(Array.from({ length: DIFFERENT_REQUESTS }, (_, index) => composeExchange(compose(index))))

/** The three kinds of flood, each as fast as 64 connections can. */
export async function measureFloods(session: Session, { small }: Arena): Promise<void> {
  const floods = [
    { id: 'malformed-64', name: 'flood: malformed', next: composeMany(() => malform(generatePat())) },
    { id: 'invented-64', name: 'flood: invented credentials', next: composeMany(generatePat) },
    {
      id: 'wrong-secret-64',
      name: 'flood: wrong secrets of known PATs',
      next: composeMany((index) => inventSecret(small.pats[index % small.pats.length] ?? '')),
    },
  ]
  for (const [index, { id, name, next }] of floods.entries()) {
    const origins = spreadOrigins(index + 1)
    const trial = { name, connections: CONNECTIONS, next, expected: REFUSED, origins }
    const closed = await session.run(small, trial)
    session.rows.push({ id, name, connections: CONNECTIONS, closed, open: null })
  }
}

/**
 * Exchanges of PATs that work, few but steady: alone, then beside 64 connections of invented credentials, from everywhere and
 * from one address, which is over its limit soon.
 */
export async function measureBystanders(session: Session, { small }: Arena): Promise<void> {
  const bystanders = {
    name: 'exchange beside others',
    connections: BYSTANDER_CONNECTIONS,
    next: repeatRequests(small.exchanges),
    perSecond: BYSTANDERS_PER_SECOND,
  }
  const runBeside = async (origins: Origins): Promise<Figures> => {
    const next = composeMany(generatePat)
    const flood = await startClosedLoop({
      target: small.target,
      connections: CONNECTIONS,
      next,
      origins,
    })
    const beside = await session.run(small, bystanders)
    await flood.stop()
    return beside
  }
  for (const [id, name, figures] of [
    ['valid-alone', 'warm exchange, alone', await session.run(small, bystanders)],
    ['valid-beside-flood', 'warm exchange, beside invented ones', await runBeside(spreadOrigins(0))],
    ['valid-beside-limited', 'warm exchange, beside 429', await runBeside(ONE_ORIGIN)],
  ] as const) {
    const open = { ...figures, arrivingPerSecond: BYSTANDERS_PER_SECOND }
    session.rows.push({ id, name, connections: BYSTANDER_CONNECTIONS, closed: null, open })
  }
}
