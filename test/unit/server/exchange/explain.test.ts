import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fail, ok } from '../../../../src/protocol/result.ts'
import { createRecheckCredential } from '../../../../src/server/credential/verify.ts'
import type { Attempt as ExplainAttempt } from '../../../../src/server/exchange/attempt.ts'
import { decide } from '../../../../src/server/exchange/decide.ts'
import { createExchange } from '../../../../src/server/exchange/exchange.ts'
import { explainExchange } from '../../../../src/server/exchange/explain.ts'
import { STEPS } from '../../../../src/server/exchange/step.ts'
import { listTargets } from '../../../../src/server/exchange/target.ts'
import { PAT } from '../../protocol/credential-fixture.ts'
import {
  API,
  anyStanding,
  buildGrant,
  buildKeyStanding,
  buildRole,
  buildStanding,
  OWNER_ID,
} from '../credential/standing-fixture.ts'
import { buildPolicies, DAY, from, NOW } from '../policy/policy-fixture.ts'
import { type Attempt, anyAttempt, buildClient, buildRequest, buildSubject } from './exchange-fixture.ts'

const OTHER = 'https://other.example.com'
const SECRET = 'https://secret.example.com'
const CONTEXT = { now: NOW, address: '10.0.0.1', clientId: null, userAgent: undefined, requestId: 'r1' }

/** The attempt with the credential checked as the server checks one whose secret is right. */
async function toExplain({ request, standing, client }: Attempt): Promise<ExplainAttempt> {
  const recheck = createRecheckCredential(async () => standing)
  const verified = await recheck(standing.credential.id, CONTEXT)
  const credential = { standing, isSecretPresented: false, token: null, verified }
  return { wish: ok(request), credential, actor: undefined, client, now: NOW }
}

const explain = async (attempt: Partial<Attempt>) =>
  explainExchange(
    await toExplain({
      request: buildRequest(),
      standing: buildStanding(),
      client: buildClient(),
      ...attempt,
    }),
  )

/** The steps as `name outcome`, without what is only told. */
const verdicts = (steps: readonly { step: string; outcome: string }[]): string[] =>
  steps.filter(({ outcome }) => outcome !== 'info').map(({ step, outcome }) => `${step} ${outcome}`)

describe('an explanation', () => {
  it('comes to what deciding comes to', async () => {
    await fc.assert(
      fc.asyncProperty(anyAttempt, async (attempt) => {
        const verified = ok(attempt.standing)
        const { result } = await explainExchange({
          ...(await toExplain(attempt)),
          credential: { standing: attempt.standing, isSecretPresented: true, token: null, verified },
        })
        expect(result).toEqual(decide(attempt.request, buildSubject(attempt.standing), attempt.client, NOW))
      }),
      { numRuns: 300 },
    )
  })

  it('comes to what an exchange comes to, whatever the standing of the credential', async () => {
    const anyCase = fc.record({ attempt: anyAttempt, other: anyStanding, isOther: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(anyCase, fc.boolean(), async ({ attempt, other, isOther }, mayExchange) => {
        const standing = isOther ? other : attempt.standing
        const client = { ...attempt.client, mayExchange }
        const recheck = createRecheckCredential(async () => standing)
        const exchange = createExchange(async (_, context) => {
          const rechecked = await recheck(standing.credential.id, context)
          return rechecked.ok ? ok({ standing: rechecked.value, token: null }) : rechecked
        })
        const { result } = await exchange(attempt.request, client, CONTEXT)
        expect((await explain({ ...attempt, standing, client })).result).toEqual(result)
      }),
      { numRuns: 300 },
    )
  })

  it('goes through the steps in order, and fails at the last one or at none', async () => {
    await fc.assert(
      fc.asyncProperty(anyAttempt, anyStanding, fc.boolean(), async (attempt, other, isOther) => {
        const standing = isOther ? other : attempt.standing
        const { result, steps } = await explain({ ...attempt, standing })
        const places = steps.map(({ step }) => STEPS.indexOf(step))
        expect(places).toEqual([...places].sort((a, b) => a - b))
        expect(steps.map(({ outcome }) => outcome === 'fail').lastIndexOf(true)).toBe(
          result.ok ? -1 : steps.length - 1,
        )
        expect(steps.filter(({ outcome }) => outcome === 'fail')).toHaveLength(result.ok ? 0 : 1)
        // Each one before the last came to something.
        const passed = new Set(verdicts(steps).map((verdict) => verdict.split(' ')[0]))
        const reached = STEPS.slice(0, Math.max(...places) + 1)
        const TOLD = ['permissions', 'client_audiences', 'resource_server']
        expect(reached.filter((step) => !passed.has(step) && !TOLD.includes(step))).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('tells at the resource server what is effective, and at the end how long the token lives', async () => {
    await fc.assert(
      fc.asyncProperty(anyAttempt, async (attempt) => {
        const { result, steps } = await explain(attempt)
        fc.pre(result.ok)
        const effective = steps.find(({ step }) => step === 'resource_server')?.permissions
        const targets = listTargets(attempt.standing, attempt.client)
        expect(effective).toEqual(targets.map(({ audience, scopes }) => ({ audience, scopes })))
        expect(steps.at(-1)?.detail).toContain(`lives ${result.value.lifetimeSeconds} s`)
      }),
      { numRuns: 200, maxSkipsPerRun: 100 },
    )
  })
})

describe('an exchange that is granted', () => {
  it('passes every step', async () => {
    const { result, steps } = await explain({})
    expect(result).toMatchObject({ ok: true, value: { subject: OWNER_ID, audiences: [API] } })
    expect(verdicts(steps)).toEqual([
      'request pass',
      'client pass',
      'credential pass',
      'organization pass',
      'owner pass',
      'role pass',
      'policy pass',
      'address pass',
      'actor pass',
      'audience pass',
      'scope pass',
      'expiry pass',
    ])
  })

  it('counts the end of whoever acts among the caps', async () => {
    const owner = { id: 'the-actor', status: 'active', isMember: true } as const
    const acting = buildStanding({ owner, credential: { expiresAt: from(NOW, 100) } })
    const standing = buildStanding({ credential: { mayAct: [{ sub: owner.id }] } })
    const attempt = await toExplain({ request: buildRequest(), standing, client: buildClient() })
    const { credential: actor } = await toExplain({
      request: buildRequest(),
      standing: acting,
      client: buildClient(),
    })
    if (typeof actor === 'string') throw new Error('there is nobody to act')
    const { result, steps } = await explainExchange({ ...attempt, actor })
    expect(result).toMatchObject({ ok: true, value: { lifetimeSeconds: 100, act: { sub: owner.id } } })
    expect(steps.at(-1)?.detail).toBe("The token lives 100 s, the least of these: the actor's own expiry")
  })

  it('names every cap on the life of the token, and the one that won', async () => {
    const standing = buildStanding({
      credential: { expiresAt: from(NOW, 200) },
      policies: buildPolicies({ accessTokenMaxTtlSeconds: 250 }, { accessTokenMaxTtlSeconds: 120 }),
    })
    const { steps } = await explain({ standing })
    expect(steps.filter(({ step }) => step === 'expiry').map(({ detail }) => detail)).toEqual([
      `the resource server "${API}": at most 300 s`,
      'access_token_max_ttl of the organization policy: at most 120 s',
      "the credential's own expiry, by expires_at: at most 200 s, it works until 2026-03-01T12:03:20.000Z, as agreed when it was made",
      'The token lives 120 s, the least of these: access_token_max_ttl of the organization policy',
    ])
  })

  it('shows what each bound leaves', async () => {
    const role = buildRole({
      grants: [
        buildGrant({ scopes: ['models:*', 'secrets:read'] }),
        buildGrant({ audience: OTHER, scopes: ['models:read'] }),
      ],
    })
    const permissions = [
      { audience: API, scopes: ['models:*', 'secrets:read'] },
      { audience: OTHER, scopes: ['models/m1:read'] },
    ]
    const standing = buildStanding({ role, credential: { permissions } })
    const { steps } = await explain({ standing, client: buildClient({ audiences: [API] }) })
    const rights = steps.flatMap(({ step, permissions }) => (permissions ? [[step, permissions]] : []))
    expect(rights).toEqual([
      [
        'role',
        [
          { audience: API, scopes: ['models:*', 'secrets:read'] },
          { audience: OTHER, scopes: ['models:read'] },
        ],
      ],
      [
        'permissions',
        [
          { audience: API, scopes: ['models:*', 'secrets:read'] },
          { audience: OTHER, scopes: ['models/m1:read'] },
        ],
      ],
      ['client_audiences', [{ audience: API, scopes: ['models:*', 'secrets:read'] }]],
      ['resource_server', [{ audience: API, scopes: ['models:read', 'models:write'] }]],
    ])
  })

  it.each([
    [null, '"patmint-cli" may ask for every audience of the role'],
    [[OTHER, SECRET, API], '"patmint-cli" may ask for every audience of the role'],
    [[API, SECRET], `Of the role's audiences "patmint-cli" may ask for "${API}". What that leaves`],
    [[SECRET], 'Of the role\'s audiences "patmint-cli" may ask for none. What that leaves'],
  ])(
    'tells of a client with the audiences %j only which of the role it reaches',
    async (audiences, detail) => {
      const { steps } = await explain({
        client: buildClient({ audiences }),
        standing: buildStanding({
          role: buildRole({ grants: [buildGrant(), buildGrant({ audience: OTHER })] }),
        }),
      })
      expect(steps.find(({ step }) => step === 'client_audiences')?.detail).toBe(detail)
      expect(JSON.stringify(steps)).not.toContain(SECRET)
    },
  )

  it('tells of an API key that it has no owner', async () => {
    const { steps } = await explain({ standing: buildKeyStanding() })
    expect(steps.find(({ step }) => step === 'owner')?.detail).toBe(
      'An API key belongs to the organization; it has no owner',
    )
  })
})

describe('an exchange that is refused', () => {
  const lastOf = async (attempt: Partial<Attempt>) => {
    const { steps } = await explain(attempt)
    const { step, detail, outcome } = steps.at(-1) ?? {}
    expect(outcome).toBe('fail')
    return [step, detail]
  }
  const ask = (audience: string, ...scopes: string[]) =>
    buildRequest({ audiences: [audience], scopes: scopes.length > 0 ? scopes : null })

  it.each<[string, Partial<Attempt>, string, string | RegExp]>([
    ['the client', { client: buildClient({ mayExchange: false }) }, 'client', /may not exchange tokens$/],
    [
      'revocation',
      { standing: buildStanding({ credential: { revokedAt: from(NOW, -60), revokedReason: 'leaked' } }) },
      'credential',
      'It was revoked 2026-03-01T11:59:00.000Z: leaked',
    ],
    [
      'a successor',
      { standing: buildStanding({ credential: { overlapUntil: NOW } }) },
      'credential',
      'Its successor took over 2026-03-01T12:00:00.000Z',
    ],
    [
      'the agreed expiry',
      { standing: buildStanding({ credential: { expiresAt: NOW } }) },
      'credential',
      'It expired 2026-03-01T12:00:00.000Z, as agreed when it was made',
    ],
    [
      'the owner',
      { standing: buildStanding({ owner: { id: OWNER_ID, status: 'suspended', isMember: true } }) },
      'owner',
      'Its owner is suspended',
    ],
    [
      'the membership',
      { standing: buildStanding({ owner: { id: OWNER_ID, status: 'active', isMember: false } }) },
      'owner',
      'Its owner is not a member of "acme" any more',
    ],
    ['the role', { standing: buildStanding({ role: null }) }, 'role', /^The role was deleted/],
    [
      'the policy, with its rule, its level and its limit',
      { standing: buildStanding({ policies: buildPolicies(null, { maxLifetimeSeconds: DAY }) }) },
      'policy',
      'The role "analyst" is not exempt, and it worked until 2026-02-20T12:00:00.000Z, by max_lifetime of the organization policy, which is 86400 seconds',
    ],
    [
      'the address',
      { standing: buildStanding({ credential: { allowedCidrs: ['192.0.2.0/24'] } }) },
      'address',
      'The address does not lie in "192.0.2.0/24"',
    ],
    [
      'an audience the role has nothing at',
      { request: ask(OTHER) },
      'audience',
      `The role "analyst" gives nothing at "${OTHER}", or nothing has this name`,
    ],
    [
      'an audience the credential was narrowed away from',
      { request: ask(API), standing: buildStanding({ credential: { permissions: [] } }) },
      'audience',
      `The credential was narrowed to nothing at "${API}"`,
    ],
    [
      'an audience that is not for the client',
      { request: ask(API), client: buildClient({ audiences: [OTHER] }) },
      'audience',
      `The client "patmint-cli" may not ask for "${API}"`,
    ],
    [
      'an audience that declares nothing of it',
      {
        request: ask(API),
        standing: buildStanding({ role: buildRole({ grants: [buildGrant({ scopes: ['x:y'] })] }) }),
      },
      'audience',
      `The resource server "${API}" declares nothing of what is left`,
    ],
    [
      'no audience where there are several',
      {
        standing: buildStanding({
          role: buildRole({ grants: [buildGrant(), buildGrant({ audience: OTHER })] }),
        }),
      },
      'audience',
      `None was named, and there are several: "${API}", "${OTHER}"`,
    ],
    [
      'a scope beyond the role',
      { request: ask(API, 'models:write') },
      'scope',
      `The role "analyst" does not give "models:write" at "${API}"`,
    ],
    [
      'a scope beyond what the credential chose',
      {
        request: ask(API, 'models:read'),
        standing: buildStanding({
          credential: { permissions: [{ audience: API, scopes: ['datasets:read'] }] },
        }),
      },
      'scope',
      `The credential was narrowed, and "models:read" at "${API}" is not in what is left`,
    ],
    [
      'a scope nobody declares',
      { request: ask(API, 'datasets:write') },
      'scope',
      `The resource server "${API}" does not declare "datasets:write"`,
    ],
    [
      'too little time left',
      { standing: buildStanding({ credential: { expiresAt: from(NOW, 0, 999) } }) },
      'expiry',
      'Less than a whole second is left of the credential: a token would be born expired',
    ],
  ])('for %s says so', async (_, attempt, step, detail) => {
    expect(await lastOf(attempt)).toEqual([
      step,
      typeof detail === 'string' ? detail : expect.stringMatching(detail),
    ])
  })

  it('tells nothing of what comes after', async () => {
    const { steps } = await explain({ standing: buildStanding({ credential: { revokedAt: NOW } }) })
    expect(steps.map(({ step }) => step)).toEqual(['request', 'client', 'client', 'credential', 'credential'])
  })

  it('for its parameters ends there, whatever else is wrong', async () => {
    const attempt = await toExplain({
      request: buildRequest(),
      standing: buildStanding({ role: null }),
      client: buildClient(),
    })
    const wish = fail({ reason: 'scope_malformed' } as const)
    expect(await explainExchange({ ...attempt, wish, client: null })).toMatchObject({
      result: { error: { reason: 'scope_malformed' } },
      steps: [{ step: 'request', outcome: 'fail' }],
    })
  })

  it.each([
    [{ reason: 'parameter_missing', parameter: 'actor_token_type' }, 'actor_token_type is missing'],
    [
      { reason: 'parameter_unsupported', parameter: 'requested_token_type' },
      'requested_token_type has an unsupported value',
    ],
    [{ reason: 'parameter_malformed', parameter: 'audience' }, 'audience is malformed, or names too many'],
    [
      { reason: 'details_refused', cause: 'details_malformed' },
      'authorization_details is no JSON array of details with type, actions and, if wanted, identifier and locations',
    ],
    [
      { reason: 'actor_token_refused', cause: 'credential_malformed' },
      'actor_token is neither a credential nor an access token of the type it is said to be',
    ],
  ] as const)('for %j says what is wrong', async (refusal, detail) => {
    const { steps } = await explainExchange({
      wish: fail(refusal),
      credential: 'credential_malformed',
      actor: undefined,
      client: null,
      now: NOW,
    })
    expect(steps).toEqual([{ step: 'request', outcome: 'fail', detail }])
  })

  it('for a client nobody knows ends there', async () => {
    const attempt = await toExplain({
      request: buildRequest(),
      standing: buildStanding({ role: null }),
      client: buildClient(),
    })
    const { result, steps } = await explainExchange({ ...attempt, client: null })
    expect(result).toEqual(fail({ reason: 'client_unknown' }))
    expect(verdicts(steps)).toEqual(['request pass', 'client fail'])
  })

  it('for what is no credential says what is wrong with it', async () => {
    const { result, steps } = await explainExchange({
      wish: ok({ audiences: [], scopes: null, details: null }),
      credential: 'credential_malformed',
      actor: undefined,
      client: buildClient(),
      now: NOW,
    })
    expect(result).toEqual(fail({ reason: 'subject_token_refused', cause: 'credential_malformed' }))
    expect(steps.at(-1)).toMatchObject({ step: 'request', outcome: 'fail' })
  })

  it('never repeats a credential somebody pasted in the wrong place', async () => {
    const { steps } = await explain({ request: ask(PAT) })
    expect(JSON.stringify(steps)).not.toContain(PAT)
    expect(steps.at(-1)?.detail).toContain('[redacted]')
  })
})
