// `/exchange/explain`: why an exchange is granted or refused, for the credential itself, for its owner and for whoever
// administers or audits its organization. To everyone else the credential does not exist.

import { z } from 'zod'
import type { AuthorizationDetail } from '../../protocol/authorization-details.ts'
import { anyCovers } from '../../protocol/scope.ts'
import { findCredential } from '../credential/find.ts'
import { type Standing, subjectOf } from '../credential/standing.ts'
import { findClient } from '../directory/client-store.ts'
import type { CheckedCredential } from '../exchange/attempt.ts'
import { toExchangeClient } from '../exchange/client.ts'
import type { Decision } from '../exchange/decide.ts'
import { type Explanation, explainExchange } from '../exchange/explain.ts'
import { parsePresented } from '../exchange/present.ts'
import { causeOf, type Nobody } from '../exchange/refusal.ts'
import { STEPS } from '../exchange/step.ts'
import { Problem } from '../http/problem.ts'
import type { Caller } from './caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { explainBody, readWish } from './explain-body.ts'
import { operation } from './operation.ts'

const rights = z.array(z.strictObject({ audience: z.string(), scopes: z.array(z.string()) }))

const authorizationDetail = z
  .strictObject({
    type: z.string(),
    identifier: z.string().optional(),
    actions: z.array(z.string()),
    locations: z.array(z.string()).optional(),
  })
  .meta({ id: 'AuthorizationDetail' })

const act = z
  .strictObject({
    sub: z.string(),
    get act() {
      return act.optional()
    },
  })
  .meta({ id: 'Act' })

const explanationView = z
  .strictObject({
    outcome: z.enum(['granted', 'refused']),
    error: z
      .strictObject({ error: z.string(), error_description: z.string() })
      .nullable()
      .describe('Exactly what the token endpoint would answer'),
    cause: z.string().nullable().describe('The true cause of the refusal, as audit records name it'),
    steps: z.array(
      z.strictObject({
        step: z.enum(STEPS),
        outcome: z.enum(['pass', 'fail', 'info']),
        detail: z.string().describe('For people'),
        permissions: rights.optional().describe('The rights as they are at this step'),
      }),
    ),
    decision: z
      .strictObject({
        subject: z.string(),
        organization: z.string(),
        client_id: z.string(),
        audiences: z.array(z.string()),
        scopes: z.array(z.string()),
        authorization_details: z
          .array(authorizationDetail)
          .nullable()
          .describe('What was asked for as JSON, with its locations; null: nothing was'),
        act: act.nullable().describe('Who acts for the subject; null: nobody else'),
        expires_in: z.int(),
        signing_alg: z.string(),
        subject_token_expires_in: z
          .int()
          .nullable()
          .describe('Null: the credential never expires while it is used'),
      })
      .nullable(),
  })
  .meta({ id: 'Explanation' })

const explain = operation({
  id: 'explainExchange',
  method: 'post',
  path: '/exchange/explain',
  tag: 'Exchange',
  summary: 'Explain an exchange',
  description:
    'Decides an exchange as the token endpoint would, now, and tells the reasoning. Issues nothing and records ' +
    'nothing. The parameters are those of an exchange, with `credential` in place of the value if you do not have it; ' +
    'an empty one counts as absent. Every caller may ask about the credential they call with, its owner with ' +
    '`tokens:read` about their others, and whoever holds `tokens:admin` or `audit:read` about all where these reach; ' +
    'for everyone else the credential does not exist. Of the client it tells only which audiences of the role it may ' +
    'ask for.',
  access: 'any_caller',
  body: explainBody,
  answer: {
    status: 200,
    description: 'The decision, or the true cause of the refusal',
    schema: explanationView,
  },
  problems: ['not_found'],
  handle: async ({ caller, body, now, origin }, dependencies) => {
    const client = await findClient(dependencies.db, body.client_id)
    const address = body.address ?? origin.ip
    const check = (named: Named) => checkPresented(caller, named, { now, address }, dependencies)
    const explanation = await explainExchange({
      wish: readWish(body, dependencies.subjectTokenTypeAliases),
      credential: await check({
        text: body.subject_token,
        type: body.subject_token_type,
        id: body.credential,
      }),
      actor: body.actor_token
        ? await check({ text: body.actor_token, type: body.actor_token_type })
        : undefined,
      client: client ? toExchangeClient(client) : null,
      now,
    })
    return viewExplanation(explanation, dependencies.toWireError)
  },
})

export const explainOperations = [explain]

/** What is presented as a value, or named by its public id. */
interface Named {
  readonly text: string | undefined
  readonly type: string | undefined
  readonly id?: string | undefined
}

/** The credential with what its check says, or why there is none; 404 for one the caller may not ask about. */
async function checkPresented(
  caller: Caller,
  { text = '', type, id }: Named,
  context: { readonly now: Date; readonly address: string },
  { db, rehearseCheck, readOwnToken, isTokenRevoked }: ApiDependencies,
): Promise<CheckedCredential | Nobody> {
  const presented = id === undefined ? parsePresented(text, type) : undefined
  const token = presented?.kind === 'jwt' ? await readOwnToken(presented, context.now) : undefined
  if (presented?.kind === 'jwt' && !token) return 'token_invalid'
  if (token && (await isTokenRevoked(token.jti))) return 'token_revoked'
  const value = presented?.kind === 'jwt' ? null : (presented ?? null)
  const found = id ?? value?.id ?? token?.cred
  if (found === undefined) return 'credential_malformed'
  const standing = await findCredential(db, found, (one) => mayAsk(caller, one))
  if (!standing) throw new Problem('not_found')
  const verified = await rehearseCheck(standing, value, context)
  return { standing, isSecretPresented: value !== null, token: token ?? null, verified }
}

function mayAsk(caller: Caller, standing: Standing): boolean {
  if (standing.credential.id === caller.standing.credential.id) return true
  const isNear = caller.isPlatformWide || caller.standing.organization.id === standing.organization.id
  const isOwn = subjectOf(standing) === caller.subject
  const readers = ['tokens:admin', 'audit:read', ...(isOwn ? ['tokens:read'] : [])]
  return isNear && readers.some((scope) => anyCovers(caller.scopes, scope))
}

function viewExplanation(
  { result, steps }: Explanation,
  toWireError: ApiDependencies['toWireError'],
): z.output<typeof explanationView> {
  const told = steps.map(({ permissions, ...step }) => ({
    ...step,
    ...(permissions ? { permissions: permissions.map(copyPermission) } : {}),
  }))
  if (result.ok)
    return {
      outcome: 'granted',
      error: null,
      cause: null,
      steps: told,
      decision: viewDecision(result.value),
    }
  const error = toWireError(result.error)
  return { outcome: 'refused', error, cause: causeOf(result.error), steps: told, decision: null }
}

const copyPermission = ({ audience, scopes }: { audience: string; scopes: readonly string[] }) => ({
  audience,
  scopes: [...scopes],
})

const copyDetail = ({ actions, locations = [], ...detail }: AuthorizationDetail) => ({
  ...detail,
  actions: [...actions],
  locations: [...locations],
})

const viewDecision = (decision: Decision) => ({
  subject: decision.subject,
  organization: decision.organization.slug,
  client_id: decision.clientId,
  audiences: [...decision.audiences],
  scopes: [...decision.scopes],
  authorization_details: decision.details?.map(copyDetail) ?? null,
  act: decision.act,
  expires_in: decision.lifetimeSeconds,
  signing_alg: decision.signingAlg,
  subject_token_expires_in: decision.subjectExpiresInSeconds,
})
