// DPoP proofs on more than one instance: replay in parallel, nonces, and a database that is away.

import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { createProofKey, type ProofKey } from '../../support/dpop.ts'
import { requestExchange } from '../../support/requests.ts'
import { newSecretKey } from '../../support/server-process.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

const shared = {
  PATMINT_DATABASE_URL: await createTestDatabase(),
  PATMINT_SECRET_KEY: newSecretKey(),
}
let acme: Acme
let demanding: TestServer
let other: TestServer
let key: ProofKey
beforeAll(async () => {
  acme = await startAcme({ ...shared, PATMINT_DATABASE_LOCK_SECONDS: '1' })
  demanding = await startTestServer({ ...shared, PATMINT_DPOP_NONCE: 'required' })
  other = await startTestServer({ ...shared, PATMINT_DPOP_NONCE: 'required' })
  key = await createProofKey()
})
afterAll(() => Promise.all([acme.stop(), demanding.stop(), other.stop()]))

const exchange = (server: TestServer, DPoP: string, headers: Record<string, string> = {}) =>
  requestExchange(server.url, { subject_token: acme.samPat, audience: API }, { DPoP, ...headers })

describe('a proof that comes twenty times at once', () => {
  it('is accepted once, whichever instances it comes to', async () => {
    const nonce = (await exchange(demanding, await key.prove())).headers.get('dpop-nonce')
    const proof = await key.prove({ nonce })
    const servers = [acme, demanding, other]
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => exchange(servers[index % 3] ?? acme, proof)),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([200, ...Array(19).fill(400)])
    const refused = answers.filter(({ status }) => status === 400)
    expect(new Set(refused.map(({ json }) => json['error']))).toEqual(new Set(['invalid_dpop_proof']))
  })
})

describe('where a nonce is required', () => {
  it('a proof without one is told the nonce, which every instance takes', async () => {
    const told = await exchange(demanding, await key.prove(), { Origin: 'https://page.example' })
    expect([told.status, told.json]).toEqual([
      400,
      { error: 'use_dpop_nonce', error_description: 'the DPoP proof needs the nonce of this server' },
    ])
    expect(told.headers.get('access-control-expose-headers')).toBe('DPoP-Nonce, WWW-Authenticate')
    const nonce = told.headers.get('dpop-nonce')
    const answer = await exchange(other, await key.prove({ nonce }))
    expect([answer.status, answer.json['token_type']]).toEqual([200, 'DPoP'])
    expect(answer.headers.get('dpop-nonce')).toBe(nonce)
  })

  it('a proof with another one is told the same', async () => {
    const answer = await exchange(demanding, await key.prove({ nonce: 'invented' }))
    expect(answer.json['error']).toBe('use_dpop_nonce')
  })

  it('the management API challenges for it', async () => {
    const answer = await fetch(`${demanding.url}/api/v1/me`, {
      headers: {
        Authorization: 'DPoP token',
        DPoP: await key.prove({ htm: 'GET', htu: `${demanding.issuer}/api/v1/me`, ath: TOKEN_HASH }),
      },
    })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP error="use_dpop_nonce", algs="/)
    expect(answer.headers.get('dpop-nonce')).toMatch(/^[\w-]{43}$/)
  })
})

/** `ath` of "token". */
const TOKEN_HASH = 'PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A'

describe('an exchange without a proof', () => {
  it('costs no statement more, and hears of no nonce', async () => {
    demanding.takeQueries()
    const form = { subject_token: acme.samPat, audience: API }
    const answer = await requestExchange(demanding.url, form)
    expect([answer.json['token_type'], answer.headers.get('dpop-nonce')]).toEqual(['Bearer', null])
    expect(demanding.takeQueries().filter((sql) => sql.includes('oidc_artifacts'))).toEqual([])
  })

  it('whose proof does not hold causes no statement at all', async () => {
    acme.takeQueries()
    expect((await exchange(acme, await key.prove({ htm: 'GET' }))).status).toBe(400)
    expect(acme.takeQueries()).toEqual([])
  })
})

describe('what is kept of a proof', () => {
  it('is a digest, until nobody would accept it any more', async () => {
    await acme.db.deleteFrom('oidc_artifacts').execute()
    await exchange(acme, await key.prove({ jti: 'a-jti-to-look-for' }))
    const [row, ...more] = await acme.db.selectFrom('oidc_artifacts').selectAll().execute()
    expect(more).toEqual([])
    expect(row).toMatchObject({ model: 'DPoPProof', id: expect.stringMatching(/^[\w-]{43}$/), payload: {} })
    const keptMs = (row?.expires_at.getTime() ?? 0) - Date.now()
    expect(keptMs).toBeGreaterThan(100_000)
    expect(keptMs).toBeLessThanOrEqual(140_000)
  })
})

describe('while proofs cannot be noted', () => {
  it('none is accepted: 503, and the same one is good for another try', async () => {
    const proof = await key.prove()
    const answer = await acme.db.transaction().execute(async (transaction) => {
      await sql`lock table oidc_artifacts in access exclusive mode`.execute(transaction)
      return exchange(acme, proof)
    })
    expect([answer.status, answer.json['error']]).toEqual([503, 'temporarily_unavailable'])
    expect((await exchange(acme, proof)).status).toBe(200)
  })
})
