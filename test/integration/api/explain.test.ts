import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateCredential } from '../../../src/protocol/credential.ts'
import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../../../src/protocol/urn.ts'
import {
  type Acme,
  API,
  mistype,
  ORDERS_BASIC,
  REPORTS,
  startAcme,
  withAnotherSecret,
} from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { newDataDir } from '../../support/server-process.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const idOf = (credential: string): string => credential.slice(4, 20)
const explain = (token: string | undefined, body: unknown): Promise<Answer> =>
  callApi(acme.url, token, 'POST', '/exchange/explain', body)

interface Explained {
  outcome: string
  cause: string | null
  error: unknown
  steps: { step: string; outcome: string; detail: string }[]
  decision: Record<string, unknown> | null
}

const setCredential = (credential: string, values: { revoked_at?: Date; expires_at?: Date }) =>
  acme.db.updateTable('credentials').set(values).where('id', '=', idOf(credential)).execute()

/** Makes a PAT of Sam's and does something to it. */
async function spoil(values: { revoked_at?: Date; expires_at?: Date }): Promise<string> {
  const pat = await acme.issue('sam@acme.test', { name: `spoilt ${randomBytes(4).toString('hex')}` })
  await setCredential(pat, values)
  return pat
}

type Fields = Record<string, string | string[]>

interface Situation {
  readonly pat?: () => Promise<string> | string
  readonly form?: Fields | (() => Fields)
  readonly cause: string | null
}

const SITUATIONS: Record<string, Situation> = {
  'a grant of one scope': { form: { audience: API, scope: 'models:read' }, cause: null },
  'a grant of an entity scope': { form: { resource: API, scope: 'models/m1:read' }, cause: null },
  'a grant of everything at one of two audiences': { form: { audience: REPORTS }, cause: null },
  'no audience where there are several': { cause: 'audience_ambiguous' },
  'an unknown audience': { form: { audience: 'https://x.example.com' }, cause: 'audience_not_permitted' },
  'audiences with different algorithms': {
    form: { audience: [API, REPORTS] },
    cause: 'audiences_incompatible',
  },
  'a resource that is no URI': { form: { resource: 'api' }, cause: 'resource_malformed' },
  'too many audiences': {
    form: { audience: Array.from({ length: 21 }, (_, n) => `a${n}`) },
    cause: 'parameter_malformed',
  },
  'a malformed scope': { form: { audience: API, scope: 'models:*' }, cause: 'scope_malformed' },
  'an empty scope': { form: { audience: API, scope: '' }, cause: null },
  'a scope that is not held': { form: { audience: REPORTS, scope: 'models:read' }, cause: 'scope_exceeds' },
  'a client that does not exist': {
    form: { audience: API, client_id: 'nobody' },
    cause: 'client_unknown',
  },
  'a client that may not exchange': {
    form: { audience: API, client_id: 'idle' },
    cause: 'client_not_allowed',
  },
  'a malformed credential': {
    pat: () => mistype(acme.samPat),
    form: { audience: API },
    cause: 'credential_malformed',
  },
  'what is no credential at all, by a client that does not exist': {
    pat: () => 'pat_0',
    form: { audience: API, client_id: 'nobody' },
    cause: 'credential_malformed',
  },
  'an access token type, which a credential is too': {
    form: { audience: API, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
    cause: null,
  },
  'an alias of the credential type': {
    form: { audience: API, subject_token_type: 'urn:logto:token-type:personal_access_token' },
    cause: null,
  },
  'a type of something else': {
    form: { audience: API, subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
    cause: 'parameter_unsupported',
  },
  'no type': { form: { audience: API, subject_token_type: '' }, cause: 'parameter_missing' },
  'a requested type that is issued': {
    form: { audience: API, requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
    cause: null,
  },
  'a requested type that is not': {
    form: { audience: API, requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
    cause: 'parameter_unsupported',
  },
  'an actor that is none': {
    form: { audience: API, actor_token: 'eyJ', actor_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
    cause: 'credential_malformed',
  },
  'an actor nobody permitted': {
    form: () => ({ audience: API, actor_token: acme.samPat, actor_token_type: PAT_TYPE }),
    cause: 'actor_not_permitted',
  },
  'an access token that is none of ours': {
    pat: () => 'a.b.c',
    form: { audience: API, subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
    cause: 'token_invalid',
  },
  'an access token': {
    pat: async () => {
      const { json } = await requestExchange(acme.url, { subject_token: acme.samPat, audience: API })
      return String(json['access_token'])
    },
    form: { audience: API, subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
    cause: null,
  },
  'an actor without its type': { form: { audience: API, actor_token: 'eyJ' }, cause: 'parameter_missing' },
  'the type of an actor without one': {
    form: { audience: API, actor_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
    cause: 'parameter_missing',
  },
  'an empty actor, which is none': {
    form: { audience: API, actor_token: '', actor_token_type: '' },
    cause: null,
  },
  'authorization details': {
    form: { audience: API, authorization_details: '[{"type":"models"}]' },
    cause: 'details_malformed',
  },
  'authorization details that are held': {
    form: { audience: API, authorization_details: '[{"type":"models","actions":["read"]}]' },
    cause: null,
  },
  'authorization details that are not held': {
    form: { audience: API, authorization_details: '[{"type":"unicorns","actions":["read"]}]' },
    cause: 'details_exceed',
  },
  'authorization details for elsewhere': {
    form: {
      audience: API,
      authorization_details: JSON.stringify([{ type: 'models', actions: ['read'], locations: [REPORTS] }]),
    },
    cause: 'details_elsewhere',
  },
  'authorization details, and everything else wrong too': {
    pat: () => '',
    form: { authorization_details: '[]', scope: 'x  y', actor_token: 'eyJ', client_id: 'nobody' },
    cause: 'parameter_missing',
  },
  'an actor, an audience and a scope that are wrong': {
    form: { resource: 'api', scope: 'models:*', actor_token: 'eyJ' },
    cause: 'parameter_missing',
  },
  'more scopes than a request may name': {
    form: { audience: API, scope: Array.from({ length: 201 }, (_, n) => `a${n}`).join(' ') },
    cause: 'scope_malformed',
  },
  'an empty credential': { pat: () => '', form: { audience: API }, cause: 'parameter_missing' },
  'a wrong secret': {
    pat: () => withAnotherSecret(acme.samPat),
    form: { audience: API },
    cause: 'secret_mismatch',
  },
  'a PAT presented as an API key': {
    pat: () => asApiKey(acme.samPat),
    form: { audience: API },
    cause: 'credential_unknown',
  },
  'a revoked credential': {
    pat: () => spoil({ revoked_at: new Date() }),
    form: { audience: API },
    cause: 'credential_revoked',
  },
  'an expired credential': {
    pat: () => spoil({ expires_at: new Date() }),
    form: { audience: API },
    cause: 'credential_expired',
  },
  'an address that is not allowed': {
    pat: () => acme.issue('sam@acme.test', { name: 'far', allowed_cidrs: ['192.0.2.0/24'] }),
    form: { audience: API },
    cause: 'address_not_allowed',
  },
  'a narrowed credential asked for more': {
    pat: () =>
      acme.issue('sam@acme.test', {
        name: 'narrow',
        permissions: [{ audience: API, scopes: ['models:read'] }],
      }),
    form: { audience: API, scope: 'models:write' },
    cause: 'scope_exceeds',
  },
  'everything wrong at once': {
    pat: () => spoil({ revoked_at: new Date() }),
    form: { audience: 'https://x.example.com', client_id: 'nobody' },
    cause: 'client_unknown',
  },
}

/** The same id and secret behind the other prefix. */
const asApiKey = (pat: string): string => canary(`key_${pat.slice(4)}`)

describe('POST /exchange/explain', () => {
  beforeAll(() =>
    acme.db
      .insertInto('clients')
      .values({
        client_id: 'idle',
        name: 'Idle',
        token_endpoint_auth_method: 'none',
        grant_types: [],
        created_at: new Date(),
      })
      .execute(),
  )

  it.each(Object.entries(SITUATIONS))(
    'comes to what the token endpoint answers: %s',
    async (_, { pat, form: fields = {}, cause }) => {
      const token = pat ? await pat() : acme.samPat
      const form = typeof fields === 'function' ? fields() : fields
      const real = await requestExchange(acme.url, { subject_token: token, ...form })
      if (real.json['access_token']) canary(String(real.json['access_token']))
      const { status, json, text } = await explain(acme.samPat, { subject_token: token, ...form })
      expect(status, text).toBe(200)
      const { outcome, error, decision, steps, ...rest } = json as unknown as Explained
      expect(rest.cause).toBe(cause)
      if (cause === null) {
        expect([real.status, outcome, error]).toEqual([200, 'granted', null])
        expect(decision?.['scopes']).toEqual(String(real.json['scope']).split(' '))
        // What is left of an access token may be a second less by now.
        expect(Math.abs(Number(decision?.['expires_in']) - Number(real.json['expires_in']))).toBeLessThan(5)
        const left = Number(decision?.['subject_token_expires_in'])
        expect(Math.abs(left - Number(real.json['subject_token_expires_in']))).toBeLessThan(5)
      } else {
        expect(real.status).toBeGreaterThanOrEqual(400)
        expect([outcome, error, decision]).toEqual(['refused', real.json, null])
        expect(steps.at(-1)?.outcome).toBe('fail')
      }
    },
  )

  it('tells the decision in full', async () => {
    const { json } = await explain(acme.samPat, { credential: idOf(acme.samPat), audience: API })
    const { user } = await idsOf('sam@acme.test')
    expect(json).toEqual({
      outcome: 'granted',
      error: null,
      cause: null,
      steps: expect.any(Array),
      decision: {
        subject: user,
        organization: 'acme',
        client_id: 'patmint-cli',
        audiences: [API],
        scopes: ['datasets:read', 'models:read', 'models:write'],
        authorization_details: null,
        act: null,
        expires_in: 300,
        signing_alg: 'ES256',
        subject_token_expires_in: expect.any(Number),
      },
    })
  })

  it('asks for a client what that client may ask for', async () => {
    const body = { subject_token: acme.samPat, audience: REPORTS, client_id: 'orders-service' }
    const real = await requestExchange(
      acme.url,
      { subject_token: acme.samPat, audience: REPORTS, client_id: undefined },
      { Authorization: ORDERS_BASIC },
    )
    const { json } = await explain(acme.samPat, body)
    expect([json['cause'], json['error']]).toEqual(['audience_not_permitted', real.json])
    expect((json['steps'] as Explained['steps']).at(-1)?.detail).toBe(
      `The client "orders-service" may not ask for "${REPORTS}"`,
    )
  })

  it('takes an address in place of the one the request comes from', async () => {
    const pat = await acme.issue('sam@acme.test', { name: 'office', allowed_cidrs: ['192.0.2.0/24'] })
    const body = { credential: idOf(pat), audience: API }
    expect((await explain(acme.samPat, body)).json['cause']).toBe('address_not_allowed')
    expect((await explain(acme.samPat, { ...body, address: '192.0.2.7' })).json['outcome']).toBe('granted')
    expect((await explain(acme.samPat, { ...body, address: '2001:db8::1' })).json['cause']).toBe(
      'address_not_allowed',
    )
    for (const address of ['::ffff:192.0.2.7', '::FFFF:c000:207', '0:0:0:0:0:ffff:192.0.2.7'])
      expect((await explain(acme.samPat, { ...body, address })).json['outcome'], address).toBe('granted')
  })

  it('reads the other parameters of a credential that is only named, as it reads those of its value', async () => {
    for (const parameters of [
      { requested_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
      { subject_token_type: '' },
      { actor_token: 'eyJ' },
      { authorization_details: '[]' },
      { resource: 'api' },
    ]) {
      const named = (await explain(acme.samPat, { credential: idOf(acme.samPat), ...parameters })).json
      const presented = (await explain(acme.samPat, { subject_token: acme.samPat, ...parameters })).json
      expect(named['outcome']).toBe('refused')
      expect(named).toEqual(presented)
    }
  })

  it('says of a client no more than which audiences of the role it may ask for', async () => {
    await acme.db
      .insertInto('clients')
      .values({
        client_id: 'foreign',
        name: 'Foreign',
        token_endpoint_auth_method: 'none',
        grant_types: [TOKEN_EXCHANGE_GRANT],
        audiences: [REPORTS, 'https://secret.example.com'],
        created_at: new Date(),
      })
      .execute()
    const { text, json } = await explain(acme.samPat, {
      credential: idOf(acme.samPat),
      audience: REPORTS,
      client_id: 'foreign',
    })
    expect(json['outcome'], text).toBe('granted')
    expect(text).not.toContain('secret.example.com')
    expect(
      (json['steps'] as Explained['steps']).find(({ step }) => step === 'client_audiences')?.detail,
    ).toBe(`Of the role's audiences "foreign" may ask for "${REPORTS}". What that leaves`)
  })

  it('says that no secret was checked when none was presented', async () => {
    const detailOf = async (body: object): Promise<string | undefined> => {
      const { json } = await explain(acme.samPat, { audience: API, ...body })
      return (json['steps'] as Explained['steps']).find(
        ({ step, outcome }) => step === 'credential' && outcome === 'pass',
      )?.detail
    }
    expect(await detailOf({ credential: idOf(acme.samPat) })).toMatch(/^No secret was presented/)
    expect(await detailOf({ subject_token: acme.samPat })).toMatch(/^Its secret is right/)
  })

  it('follows a suspension and a policy at once', async () => {
    const pat = await acme.issue('jane@acme.test', { name: 'watched' })
    const body = { credential: idOf(pat), audience: API }
    const { user } = await idsOf('jane@acme.test')
    const setStatus = (status: 'active' | 'suspended') =>
      acme.db.updateTable('users').set({ status }).where('id', '=', user).execute()
    await setStatus('suspended')
    const suspended = (await explain(acme.adaPat, body)).json
    await setStatus('active')
    expect([suspended['cause'], suspended['error']]).toEqual([
      'owner_suspended',
      { error: 'invalid_request', error_description: 'subject_token is not valid' },
    ])
    expect((await explain(acme.adaPat, body)).json['outcome']).toBe('granted')
  })
})

const idsOf = async (email: string) => {
  const { id } = await acme.db
    .selectFrom('users')
    .select('id')
    .where('email', '=', email)
    .executeTakeFirstOrThrow()
  return { user: id }
}

describe('an explanation', () => {
  const countEvents = async (): Promise<number> => {
    const { count } = await acme.db
      .selectFrom('audit_events')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return count
  }
  const readCredential = (credential: string) =>
    acme.db
      .selectFrom('credentials')
      .select(['last_used_at', 'reuse_detected_at', 'revoked_at'])
      .where('id', '=', idOf(credential))
      .executeTakeFirstOrThrow()

  it('issues nothing, records nothing, and is no use of the credential', async () => {
    const pat = await acme.issue('sam@acme.test', { name: 'unused' })
    const before = await countEvents()
    for (const body of [
      { subject_token: pat },
      { credential: idOf(pat) },
      { subject_token: withAnotherSecret(pat) },
    ]) {
      const { status, text } = await explain(acme.samPat, { audience: API, ...body })
      expect([status, text.includes('eyJ'), text.includes(pat)]).toEqual([200, false, false])
    }
    expect(await countEvents()).toBe(before)
    expect((await readCredential(pat)).last_used_at).toBeNull()
  })

  it('of a credential that was replaced detects no reuse', async () => {
    const old = await acme.issue('sam@acme.test', { name: 'replaced' })
    const path = `/tokens/${idOf(old)}/rotate`
    const rotated = await callApi(acme.url, old, 'POST', path, { overlap_seconds: 0 })
    const successor = canary(String(rotated.json['token']))
    const before = await countEvents()
    const { json } = await explain(acme.samPat, { subject_token: old, audience: API })
    expect(json['cause']).toBe('credential_superseded')
    expect(await countEvents()).toBe(before)
    expect((await readCredential(successor)).reuse_detected_at).toBeNull()
    await requestExchange(acme.url, { subject_token: old, audience: API })
    expect((await readCredential(successor)).reuse_detected_at).not.toBeNull()
  })
})

describe('whoever asks', () => {
  const NOT_FOUND = {
    type: 'about:blank',
    title: 'Not found',
    status: 404,
    code: 'not_found',
  }

  it("learns nothing of another user's credential, nor whether it exists", async () => {
    const unknown = canary(generateCredential('personal', randomBytes).reveal())
    for (const body of [
      { credential: idOf(acme.samPat) },
      { subject_token: acme.samPat },
      { subject_token: withAnotherSecret(acme.samPat) },
      { subject_token: asApiKey(acme.samPat) },
      { credential: idOf(unknown) },
      { subject_token: unknown },
      { credential: idOf(unknown), scope: '*', client_id: 'nobody' },
    ]) {
      const { status, json } = await explain(acme.janePat, { audience: API, ...body })
      expect([status, json]).toEqual([404, NOT_FOUND])
    }
  })

  it('may be the owner, an admin of its organization, or the platform', async () => {
    for (const token of [acme.samPat, acme.adaPat, acme.adminToken]) {
      const { status } = await explain(token, { credential: idOf(acme.samPat), audience: API })
      expect(status).toBe(200)
    }
    for (const body of [{ credential: idOf(acme.adminToken) }, { subject_token: acme.adminToken }])
      expect((await explain(acme.adaPat, body)).status).toBe(404)
  })

  it('may be the owner with a credential of the same organization only', async () => {
    const file = join(newDataDir(), 'beta.yaml')
    const memberships = '[{ organization: acme, role: analyst }, { organization: beta, role: admin }]'
    writeFileSync(
      file,
      `organizations: [{ slug: beta, name: Beta }]
users: [{ email: kim@acme.test, name: Kim, memberships: ${memberships} }]
`,
    )
    await acme.apply([file])
    const ofAcme = await acme.issue('kim@acme.test', { name: 'a', organization: 'acme' })
    const ofBeta = await acme.issue('kim@acme.test', { name: 'b', organization: 'beta' })
    expect((await explain(ofAcme, { credential: idOf(ofAcme) })).status).toBe(200)
    expect((await explain(ofAcme, { credential: idOf(ofBeta) })).status).toBe(404)
    // An admin there, and nobody here.
    expect((await explain(ofBeta, { credential: idOf(acme.samPat) })).status).toBe(404)
  })

  describe('with a credential narrowed to something else', () => {
    let narrow = ''
    beforeAll(async () => {
      narrow = await acme.issue('jane@acme.test', {
        name: 'self',
        permissions: [{ audience: API, scopes: ['models:read'] }],
      })
    })

    it('may ask about that credential', async () => {
      for (const body of [{ credential: idOf(narrow) }, { subject_token: narrow }])
        expect((await explain(narrow, { ...body, audience: API })).json['outcome']).toBe('granted')
    })

    it("learns nothing of the owner's others, nor whether they exist", async () => {
      for (const body of [
        { credential: idOf(acme.janePat) },
        { subject_token: acme.janePat },
        { subject_token: withAnotherSecret(acme.janePat) },
        { credential: '0123456789abcdef' },
      ]) {
        const { status, json } = await explain(narrow, body)
        expect([status, json]).toEqual([404, NOT_FOUND])
      }
    })

    it('may ask about the others with tokens:read', async () => {
      const permissions = [{ audience: `${acme.issuer}/api`, scopes: ['tokens:read'] }]
      const reader = await acme.issue('ada@acme.test', { name: 'reader', permissions })
      expect((await explain(reader, { credential: idOf(acme.adaPat) })).status).toBe(200)
      expect((await explain(reader, { credential: idOf(acme.janePat) })).status).toBe(404)
    })
  })

  it('learns of other credentials with an access token for tokens:read only', async () => {
    const exchange = async (scope: string): Promise<string> => {
      const { json } = await requestExchange(acme.url, {
        subject_token: acme.adaPat,
        audience: `${acme.issuer}/api`,
        scope,
      })
      return canary(String(json['access_token']))
    }
    const other = await acme.issue('ada@acme.test', { name: 'another' })
    const [reader, keeper] = [await exchange('tokens:read'), await exchange('keys:read')]
    expect((await explain(reader, { credential: idOf(other) })).status).toBe(200)
    expect((await explain(keeper, { credential: idOf(other) })).status).toBe(404)
    expect((await explain(keeper, { credential: idOf(acme.adaPat) })).status).toBe(200)
  })

  it('authenticates', async () => {
    expect((await explain(undefined, { credential: idOf(acme.samPat) })).status).toBe(401)
  })

  it('is refused a value longer than any exchange has', async () => {
    for (const [length, status] of [
      [16_000, 200],
      [16_001, 400],
    ] as const)
      expect((await explain(acme.samPat, { subject_token: 'x'.repeat(length) })).status).toBe(status)
  })

  it.each([
    [{}, 'give exactly one of subject_token and credential'],
    [{ credential: 'x' }, /^credential: /],
    [
      { credential: '0123456789abcdef', subject_token: 'pat_' },
      'give exactly one of subject_token and credential',
    ],
    [{ credential: '0123456789abcdef', owner: 'me' }, /owner/],
    [{ credential: '0123456789abcdef', secret_hash: 'x', revoked_at: null }, /secret_hash/],
    [{ credential: '0123456789abcdef', address: 'localhost' }, /^address: /],
    [{ credential: '0123456789abcdef', address: '10.0.0.0/8' }, /^address: /],
    [{ credential: '0123456789abcdef', client_id: 'two words' }, /^client_id: /],
    [{ credential: '0123456789abcdef', scope: ['a', 'b'] }, /^scope: /],
    [{ credential: '0123456789abcdef', audience: [['a']] }, /^audience/],
    [{ subject_token: 1 }, /^subject_token: /],
    [{ credential: '0123456789abcdef', actor_token: ['a', 'b'] }, /^actor_token: /],
    [{ credential: '0123456789abcdef', authorization_details: [{}] }, /^authorization_details: /],
  ])('is refused a body such as %j', async (body, detail) => {
    const { status, json } = await explain(acme.samPat, body)
    expect([status, json['code']]).toEqual([400, 'invalid_request'])
    expect(String(json['detail'])).toMatch(detail)
  })
})
