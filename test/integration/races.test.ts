// Two server processes on one database, and requests that meet: limits hold exactly, and what one process has
// acknowledged binds the other at once.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API, ORDERS_SECRET } from '../support/acme.ts'
import { canary } from '../support/evidence.ts'
import { type HeldConnections, holdConnections } from '../support/held-connections.ts'
import type { Answer } from '../support/requests.ts'
import { newSecretKey, type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { createTestDatabase, withClient } from '../support/test-database.ts'

const CONNECTIONS = 20
/** Rounds of each change; `npm run test:long` takes a thousand. */
const ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 30)
/** Of the change that most depends on being at once. */
const REVOCATIONS = Math.max(ROUNDS, 200)
const TIMEOUT_MS = 300_000
const REFUSED = { error: 'invalid_request', error_description: 'subject_token is not valid' }

let databaseUrl: string
let processes: ServerProcess[]
let admin: string
/** The two processes, each by connections of its own. */
let pair: [HeldConnections, HeldConnections]

beforeAll(async () => {
  databaseUrl = await createTestDatabase()
  const variables = {
    PATMINT_DATABASE_URL: databaseUrl,
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_ISSUER: 'https://sts.example.test',
    // Every query on a line would be most of the work.
    PATMINT_LOG_LEVEL: 'info',
  }
  const orders = { PATMINT_APPLY: 'config/example.yaml', ORDERS_SECRET: canary(ORDERS_SECRET) }
  const first = await startServerProcess({ ...variables, ...orders })
  const second = await startServerProcess(variables)
  processes = [first, second]
  admin = first.bootstrapToken()
  pair = [holdConnections(first.url, CONNECTIONS), holdConnections(second.url, CONNECTIONS)]
})
afterAll(async () => {
  for (const connections of pair) connections.close()
  await Promise.all(processes.map((server) => server.stop()))
})

/** The one process and the other, taking turns. */
const inTurn = (round: number): [HeldConnections, HeldConnections] =>
  round % 2 === 0 ? pair : [pair[1], pair[0]]

const issue = (at: HeldConnections, userId: string, name: string): Promise<Answer> =>
  at.call(admin, 'POST', `/users/${userId}/tokens`, { name })

async function issuePat(at: HeldConnections, userId: string, name: string): Promise<string> {
  const answer = await issue(at, userId, name)
  requireDone(answer)
  return canary(String(answer.json['token']))
}

interface Engineer {
  readonly id: string
  readonly pat: string
}

/** A new engineer of acme; gives their id. */
async function makeEngineer(name: string): Promise<string> {
  const { json } = await pair[0].call(admin, 'POST', '/users', { email: `${name}@acme.test`, name })
  const id = String(json['id'])
  const membership = { user_id: id, role: 'engineer' }
  requireDone(await pair[0].call(admin, 'POST', '/organizations/acme/members', membership))
  return id
}

/** As many new engineers, each with a PAT. */
const makeEngineers = (count: number, name: string): Promise<Engineer[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const id = await makeEngineer(`${name}-${index}`)
      return { id, pat: await issuePat(inTurn(index)[0], id, name) }
    }),
  )

const countBy = (answers: readonly Answer[]): Record<string, number> => {
  const kinds = answers.map(({ status, json }) => `${status} ${json['code'] ?? ''}`.trim())
  return Object.fromEntries(
    [...Map.groupBy(kinds, (kind) => kind)].map(([kind, found]) => [kind, found.length]),
  )
}

async function countRows(userId: string): Promise<number> {
  const query = 'select count(*)::int as count from credentials where owner_id = $1'
  const { rows } = await withClient(databaseUrl, (client) => client.query<{ count: number }>(query, [userId]))
  return rows[0]?.count ?? 0
}

/** Somebody was told to come back later, as a server may that has more to do than it can: the round shows nothing. */
class Unanswered extends Error {}

/** Runs rounds, as many at once as there are lanes, until one is wrong; gives what went wrong. */
async function runRounds<Lane>(
  rounds: number,
  lanes: readonly Lane[],
  run: (round: number, lane: Lane) => Promise<string | null>,
): Promise<string[]> {
  const wrong: string[] = []
  let next = 0
  let unanswered = 0
  const passOver = (error: unknown): null => {
    unanswered += 1
    if (!(error instanceof Unanswered) || unanswered > rounds / 20) throw error
    return null
  }
  const work = async (lane: Lane): Promise<void> => {
    while (next < rounds + unanswered && wrong.length === 0) {
      const round = next++
      const outcome = await run(round, lane).catch(passOver)
      if (outcome !== null) wrong.push(`round ${round}: ${outcome}`)
    }
  }
  await Promise.all(lanes.map(work))
  return wrong
}

/** Whoever is not obeyed shows nothing by what comes after. */
function requireDone(...answers: readonly Answer[]): void {
  requireAnswered(...answers)
  for (const { status, text } of answers) if (status >= 300) throw new Error(`not done: ${text}`)
}

function requireAnswered(...answers: readonly Answer[]): void {
  for (const { status, text } of answers) if (status === 503) throw new Unanswered(text)
}

const isRefused = ({ status, json }: Answer): boolean =>
  status === 400 && JSON.stringify(json) === JSON.stringify(REFUSED)

/** Creations under these names for one user, all at once and at both processes. */
async function createAll(userId: string, names: readonly string[]): Promise<Record<string, number>> {
  const answers = await Promise.all(names.map((name, index) => issue(inTurn(index)[0], userId, name)))
  for (const { json } of answers) if (json['token']) canary(String(json['token']))
  return countBy(answers)
}

describe('creations that meet', () => {
  let users: string[]
  beforeAll(async () => {
    users = await Promise.all(Array.from({ length: 5 }, (_, index) => makeEngineer(`creations-${index}`)))
    // Connections that are only being opened would let one creation pass after the other.
    await Promise.all(
      Array.from({ length: 2 * CONNECTIONS }, (_, index) => inTurn(index)[0].call(admin, 'GET', '/me')),
    )
  })

  it('of 40 at once, exactly ten are made: the limit holds across processes', async () => {
    for (const user of users.slice(0, 3)) {
      const names = Array.from({ length: 40 }, (_, index) => `race ${index}`)
      expect(await createAll(user, names)).toEqual({ '201': 10, '409 token_limit_reached': 30 })
      expect(await countRows(user)).toBe(10)
    }
  })

  it('of 20 of one name, exactly one is made', async () => {
    for (const user of users.slice(3)) {
      const names = Array.from({ length: 20 }, () => 'the one')
      expect(await createAll(user, names)).toEqual({ '201': 1, '409 token_name_taken': 19 })
      expect(await countRows(user)).toBe(1)
    }
  })
})

describe('what one process acknowledged', () => {
  it(`binds the other at once: ${REVOCATIONS} revocations, and not one exchange after`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const names = Array.from({ length: 4 }, (_, index) => `revoked-${index}`)
    const owners = await Promise.all(names.map(makeEngineer))
    // Two PATs of each at a time.
    const wrong = await runRounds(REVOCATIONS, [...owners, ...owners], async (round, owner) => {
      const [revoking, exchanging] = inTurn(round)
      const pat = await issuePat(revoking, owner, `round ${round}`)
      const before = await exchanging.exchange(pat, API)
      // On its way while the revocation is: whether it still gets a token is a matter of luck.
      const meanwhile = exchanging.exchange(pat, API)
      const revoked = await revoking.call(pat, 'DELETE', `/tokens/${pat.slice(4, 20)}`)
      const after = await exchanging.exchange(pat, API)
      await meanwhile
      requireDone(before, revoked)
      requireAnswered(after)
      return isRefused(after) ? null : `exchanged after the revocation: ${after.status}`
    })
    expect(wrong).toEqual([])
  })

  it(`binds the other at once: ${ROUNDS} times suspended and restored`, { timeout: TIMEOUT_MS }, async () => {
    const users = await makeEngineers(3, 'suspended')
    const wrong = await runRounds(ROUNDS, users, async (round, { id, pat }) => {
      const [changing, exchanging] = inTurn(round)
      const become = (status: string) => changing.call(admin, 'PATCH', `/users/${id}`, { status })
      const suspended = await become('suspended')
      const during = await exchanging.exchange(pat, API)
      const restored = await become('active')
      const after = await exchanging.exchange(pat, API)
      requireDone(suspended, restored)
      requireAnswered(during, after)
      if (!isRefused(during)) return `exchanged while suspended: ${during.status}`
      return after.status === 200 ? null : `refused after being restored: ${after.text}`
    })
    expect(wrong).toEqual([])
  })

  it(`binds the other at once: ${ROUNDS} times demoted and promoted`, { timeout: TIMEOUT_MS }, async () => {
    const users = await makeEngineers(3, 'demoted')
    const wrong = await runRounds(ROUNDS, users, async (round, { id, pat }) => {
      const [changing, exchanging] = inTurn(round)
      const become = (role: string) =>
        changing.call(admin, 'PATCH', `/organizations/acme/members/${id}`, { role })
      const demoted = await become('analyst')
      const during = await exchanging.exchange(pat, API)
      const promoted = await become('engineer')
      const after = await exchanging.exchange(pat, API)
      requireDone(demoted, promoted)
      requireAnswered(during, after)
      if (during.json['scope'] !== 'datasets:read models:read') return `demoted, but got ${during.text}`
      const wide = 'datasets:read models:read models:write'
      return after.json['scope'] === wide ? null : `promoted, but got ${after.text}`
    })
    expect(wrong).toEqual([])
  })
})
