// A subject token that does not work is answered with the same bytes and the same headers whatever is wrong with it, and
// whoever asks; the true cause stands in the record alone.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateCredential, parseCredential } from '../../../src/protocol/credential.ts'
import { type Acme, API, mistype, ORDERS_BASIC, startAcme, withAnotherSecret } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { askForwardAuth, bearer } from '../../support/forward-auth.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { newDataDir } from '../../support/server-process.ts'

const PEOPLE = `
organizations: [{ slug: beta, name: Beta }]
users:
  - { email: left@acme.test, name: Left, memberships: [{ organization: acme, role: analyst }] }
  - { email: away@acme.test, name: Away, memberships: [{ organization: acme, role: analyst }] }
  - { email: late@beta.test, name: Late, memberships: [{ organization: beta, role: member }] }
`

let acme: Acme
const tokens = new Map<string, string>()
beforeAll(async () => {
  acme = await startAcme()
  const file = join(newDataDir(), 'people.yaml')
  writeFileSync(file, PEOPLE)
  await acme.apply([file])
  await makeTokens()
  // After the lifetime that the policy of beta allows.
  acme.setClock(() => new Date(Date.now() + 61_000))
})
afterAll(() => acme.stop())

const call = (method: string, path: string, body?: unknown) =>
  callApi(acme.url, acme.adminToken, method, path, body)
const idOf = (pat: string): string => pat.slice(4, 20)
const issue = (name: string, body: object = {}, email = 'jane@acme.test') =>
  acme.issue(email, { name, ...body })
const setUser = (email: string, status: 'suspended' | 'active') =>
  acme.db.updateTable('users').set({ status }).where('email', '=', email).execute()

/** A well-formed credential with everything of `credential` but its kind. */
const withAnotherKind = (credential: string): string => {
  const parts = [idOf(credential), parseCredential(credential)?.revealSecret() ?? '']
  const bytes = parts.map((hex) => Buffer.from(hex, 'hex'))
  return canary(
    generateCredential(
      'organization',
      (n) => bytes.find(({ length }) => length === n) ?? Buffer.alloc(n),
    ).reveal(),
  )
}

async function makeTokens(): Promise<void> {
  const random = (n: number) => crypto.getRandomValues(new Uint8Array(n))
  tokens.set('credential_malformed', mistype(acme.janePat))
  tokens.set('credential_unknown', canary(generateCredential('personal', random).reveal()))
  tokens.set('credential_unknown (another kind)', withAnotherKind(acme.janePat))
  tokens.set('secret_mismatch', withAnotherSecret(acme.janePat))
  tokens.set('credential_expired', await issue('expired', { expires_in_seconds: 30 }))
  const revoked = await issue('revoked')
  await call('DELETE', `/organizations/acme/tokens/${idOf(revoked)}`)
  tokens.set('credential_revoked', revoked)
  tokens.set('address_not_allowed', await issue('elsewhere', { allowed_cidrs: ['192.0.2.0/24'] }))
  tokens.set('owner_suspended', await issue('laptop', {}, 'away@acme.test'))
  await setUser('away@acme.test', 'suspended')
  tokens.set('membership_missing', await issue('laptop', {}, 'left@acme.test'))
  const left = acme.db.selectFrom('users').select('id').where('email', '=', 'left@acme.test')
  await acme.db.deleteFrom('memberships').where('user_id', '=', left).execute()
  tokens.set('blocked_by_policy', await issue('laptop', {}, 'late@beta.test'))
  const file = join(newDataDir(), 'policy.yaml')
  writeFileSync(file, 'policies: { organizations: { beta: { max_lifetime: 60 } } }')
  await acme.apply([file])
}

/** All of an answer but what names the request and its time. */
const stableOf = ({ status, headers, text }: Answer) => ({
  status,
  text,
  headers: [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id'),
})

/** One after the other, so that the connection is the same for all. */
async function refuseAll(form: Record<string, string | undefined>, headers: Record<string, string>) {
  const answers = new Map<string, Answer>()
  for (const [cause, subject_token] of tokens)
    answers.set(cause, await requestExchange(acme.url, { ...form, subject_token }, headers))
  return answers
}

const forgetRefusals = () =>
  acme.db.deleteFrom('audit_events').where('type', '=', 'exchange.refused').execute()

async function listReasons(): Promise<(string | null)[]> {
  const records = await acme.db
    .selectFrom('audit_events')
    .select('reason')
    .where('type', '=', 'exchange.refused')
    .execute()
  return records.map(({ reason }) => reason).sort()
}

/** Garbage is told in the log: it costs no I/O. */
const listRecorded = (): (string | undefined)[] =>
  [...tokens.keys()]
    .filter((cause) => cause !== 'credential_malformed')
    .map((cause) => cause.split(' ')[0])
    .sort()

describe('a subject token that does not work', () => {
  it.each<[string, Record<string, string | undefined>, Record<string, string>]>([
    ['a public client', { client_id: 'patmint-cli' }, {}],
    ['a page in a browser', { client_id: 'patmint-cli' }, { Origin: 'https://app.example.test' }],
    ['a client that authenticated itself', { client_id: undefined }, { Authorization: ORDERS_BASIC }],
  ])(
    'is refused alike to %s, in body and headers, and recorded for what it is',
    async (_name, form, headers) => {
      await forgetRefusals()
      const answers = await refuseAll(form, headers)
      const [first, ...others] = [...answers].map(([, answer]) => stableOf(answer))
      expect(first).toMatchObject({
        status: 400,
        text: '{"error":"invalid_request","error_description":"subject_token is not valid"}',
      })
      expect(others).toEqual(others.map(() => first))
      expect(await listReasons()).toEqual(listRecorded())
    },
  )

  it('is refused alike to a proxy', async () => {
    await forgetRefusals()
    const answers: Answer[] = []
    for (const token of tokens.values())
      answers.push(await askForwardAuth(acme.url, { audience: API }, bearer(token)))
    const [first, ...others] = answers.map(stableOf)
    expect(first).toMatchObject({
      status: 401,
      text: '{"error":"invalid_token","error_description":"the credential is not valid"}',
    })
    expect(others).toEqual(others.map(() => first))
    expect(await listReasons()).toEqual(listRecorded())
  })
})
