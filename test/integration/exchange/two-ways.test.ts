// An exchange by a public client takes the straight way or, when its form does not say how long it is, that of
// oidc-provider. Nobody can tell which, neither by the answer nor by the record.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../../../src/protocol/urn.ts'
import { type Acme, API, mistype, startAcme, withAnotherSecret } from '../../support/acme.ts'
import { createProofKey, type ProofKey } from '../../support/dpop.ts'
import { requestExchange } from '../../support/requests.ts'

let acme: Acme
let suspended: string
let key: ProofKey
let nonce: string | null
let usedProof: string
beforeAll(async () => {
  acme = await startAcme({ PATMINT_DPOP_NONCE: 'required' })
  suspended = await acme.issue('sam@acme.test', { name: 'other' })
  await acme.db
    .updateTable('users')
    .set({ status: 'suspended' })
    .where('email', '=', 'sam@acme.test')
    .execute()
  await acme.db.updateTable('clients').set({ grant_types: [] }).where('client_id', '=', 'notebook').execute()
  key = await createProofKey()
  const prove = (proof: string) => requestExchange(acme.url, { subject_token: acme.janePat }, { DPoP: proof })
  nonce = (await prove(await key.prove())).headers.get('dpop-nonce')
  usedProof = await key.prove({ nonce })
  await prove(usedProof)
})
afterAll(() => acme.stop())

const READ_MODELS = JSON.stringify([{ type: 'models', identifier: 'm1', actions: ['read'] }])

type Fields = Record<string, string | string[]>

interface Outcome {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: Record<string, unknown>
  readonly records: unknown[]
}

const COMPARED = [
  'content-type',
  'cache-control',
  'retry-after',
  'www-authenticate',
  'x-content-type-options',
  'access-control-allow-origin',
  'vary',
  'access-control-expose-headers',
]

/** What differs from one time to the next. */
const PASSING = {
  'dpop-nonce': 'a nonce',
  access_token: 'a token',
  id: 'an id',
  occurred_at: 'now',
  token_id: 'an id',
  request_id: 'an id',
}

const withoutPassing = (values: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value !== null && name in PASSING ? PASSING[name as keyof typeof PASSING] : value,
    ]),
  )

async function send(form: URLSearchParams, headers: Record<string, string>, isLengthTold: boolean) {
  await acme.db.deleteFrom('audit_events').execute()
  const text = form.toString()
  const response = await fetch(`${acme.url}/oauth2/token`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      Origin: 'https://page.example',
      'User-Agent': 'two-ways',
      ...headers,
    },
    body: isLengthTold ? text : new Blob([text]).stream(),
    duplex: 'half',
  })
  const records = await acme.db.selectFrom('audit_events').selectAll().execute()
  const outcome: Outcome = {
    status: response.status,
    headers: withoutPassing(
      Object.fromEntries([...COMPARED, 'dpop-nonce'].map((name) => [name, response.headers.get(name)])),
    ),
    body: withoutPassing((await response.json()) as Record<string, unknown>),
    records: records.map(withoutPassing),
  }
  return outcome
}

function toForm(fields: Fields): URLSearchParams {
  const usual: Fields = {
    grant_type: TOKEN_EXCHANGE_GRANT,
    client_id: 'patmint-cli',
    subject_token: acme.janePat,
    subject_token_type: PAT_TYPE,
    audience: API,
  }
  const pairs = Object.entries({ ...usual, ...fields }).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  )
  return new URLSearchParams(pairs)
}

const CASES: [string, number, () => Fields, (() => Promise<Record<string, string>>)?][] = [
  ['that is granted', 200, () => ({ scope: 'models:read' })],
  ['of everything', 200, () => ({ scope: '', client_secret: '' })],
  ['with a typo in its credential', 400, () => ({ subject_token: mistype(acme.janePat) })],
  ['with a wrong secret', 400, () => ({ subject_token: withAnotherSecret(acme.janePat) })],
  ['of a suspended owner', 400, () => ({ subject_token: suspended })],
  ['without a credential', 400, () => ({ subject_token: '' })],
  ['with two credentials', 400, () => ({ subject_token: [acme.janePat, acme.samPat] })],
  ['for an unknown audience', 400, () => ({ audience: 'https://nowhere.example' })],
  ['for two audiences, one of them unknown', 400, () => ({ audience: [API, 'https://nowhere.example'] })],
  ['for too much', 400, () => ({ scope: 'models:destroy' })],
  ['for a malformed scope', 400, () => ({ scope: 'a"b' })],
  ['with an actor', 400, () => ({ actor_token: acme.samPat, actor_token_type: PAT_TYPE })],
  ['with authorization details', 200, () => ({ audience: API, authorization_details: READ_MODELS })],
  ['with malformed authorization details', 400, () => ({ authorization_details: '[]' })],
  ['with too many parameters', 400, () => ({ filler: Array(200).fill('x') })],
  ['with something that is no proof', 400, () => ({}), async () => ({ DPoP: 'proof' })],
  ['with an empty proof', 400, () => ({}), async () => ({ DPoP: '' })],
  ['with a proof', 200, () => ({}), async () => ({ DPoP: await key.prove({ nonce }) })],
  ['with a proof without nonce', 400, () => ({}), async () => ({ DPoP: await key.prove() })],
  ['with a proof for elsewhere', 400, () => ({}), async () => ({ DPoP: await key.prove({ htm: 'GET' }) })],
  ['with a proof that was used', 400, () => ({}), async () => ({ DPoP: usedProof })],
  ['by an unknown client', 401, () => ({ client_id: 'nobody' })],
  ['by a client that cannot be one', 401, () => ({ client_id: 'a b' })],
  ['by a client that has to authenticate', 401, () => ({ client_id: 'orders-service' })],
  ['by a client that may not', 400, () => ({ client_id: 'notebook' })],
  ['by two clients', 400, () => ({ client_id: ['patmint-cli', 'notebook'] })],
  ['by nobody', 400, () => ({ client_id: '' })],
]

describe('an exchange', () => {
  it.each(CASES)(
    '%s: has one outcome, whichever way it takes',
    async (_name, status, fields, makeHeaders = async () => ({})) => {
      const form = toForm(fields())
      const straight = await send(form, await makeHeaders(), true)
      const around = await send(form, await makeHeaders(), false)
      expect(straight).toEqual(around)
      expect(straight.status).toBe(status)
    },
  )
})

describe('the straight way', () => {
  const exchange = (contentType: string) =>
    fetch(`${acme.url}/oauth2/token`, {
      method: 'POST',
      headers: { 'Content-Type': contentType },
      body: toForm({}).toString(),
    })

  it.each([
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded;charset=UTF-8',
    'APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8',
  ])('reads %s', async (contentType) => {
    expect((await exchange(contentType)).status).toBe(200)
  })

  it('says nothing of pages where none asks', async () => {
    const answer = await exchange('application/x-www-form-urlencoded')
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })
})
