// `/exchange/explain`: why an exchange is granted or refused, for the credential's owner and for whoever administers or
// audits its organization. To everyone else the credential does not exist.

import { z } from 'zod'
import { parseCredential } from '../../protocol/credential.ts'
import { anyCovers } from '../../protocol/scope.ts'
import { PAT_TYPE } from '../../protocol/urn.ts'
import { findCredential } from '../credential/find.ts'
import { type Standing, subjectOf } from '../credential/standing.ts'
import { findClient } from '../directory/client-store.ts'
import { clientId } from '../directory/schema.ts'
import type { CheckedCredential } from '../exchange/attempt.ts'
import { type Decision, toExchangeClient } from '../exchange/decide.ts'
import { type Explanation, explainExchange } from '../exchange/explain.ts'
import { causeOf } from '../exchange/refusal.ts'
import { parseExchangeRequest, parseExchangeWish, type TokenParameters } from '../exchange/request.ts'
import { STEPS } from '../exchange/step.ts'
import { Problem } from '../http/problem.ts'
import type { Caller } from './caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { operation } from './operation.ts'
import { credentialId } from './schema.ts'

const MAX_TEXT = 2000
const text = z.string().max(MAX_TEXT)
const repeatable = z.union([text, z.array(text).max(100)])

const explainBody = z
  .strictObject({
    credential: credentialId.optional().describe('Public id; the secret is taken to be right'),
    subject_token: text.optional().describe('The credential itself; its secret is checked'),
    client_id: clientId.default('patmint-cli').describe('Taken to be authenticated'),
    audience: repeatable.optional(),
    resource: repeatable.optional(),
    scope: text.optional(),
    address: z
      .union([z.ipv4(), z.ipv6()])
      .optional()
      .describe('Where the exchange would come from; absent: where this request comes from'),
  })
  .refine((body) => (body.subject_token === undefined) !== (body.credential === undefined), {
    error: 'give exactly one of subject_token and credential',
  })

type ExplainBody = z.output<typeof explainBody>

const rights = z.array(z.strictObject({ audience: z.string(), scopes: z.array(z.string()) }))

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
        expires_in: z.int(),
        signing_alg: z.string(),
        subject_token_expires_in: z.int().nullable().describe('Null: the credential never expires'),
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
    "nothing. For the credential's owner, and for whoever holds `tokens:admin` or `audit:read` where it belongs; " +
    'for everyone else it does not exist.',
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
    const explanation = await explainExchange({
      wish: readWish(body),
      credential: await checkCredential(caller, body, { now, address }, dependencies),
      client: client ? toExchangeClient(client) : null,
      now,
    })
    return viewExplanation(explanation, dependencies.toWireError)
  },
})

export const explainOperations = [explain]

/** The parameters as the token endpoint would read them; there, an empty one is absent. */
function readWish({ subject_token, credential, audience, resource, scope }: ExplainBody) {
  const parameters: TokenParameters = { audience, resource, scope: scope || undefined }
  return credential === undefined
    ? parseExchangeRequest(
        { ...parameters, subject_token: subject_token || undefined, subject_token_type: PAT_TYPE },
        [],
      )
    : parseExchangeWish(parameters)
}

/** The credential with what its check says; null for what is none, 404 for one the caller may not ask about. */
async function checkCredential(
  caller: Caller,
  body: ExplainBody,
  context: { readonly now: Date; readonly address: string },
  { db, rehearseCheck }: ApiDependencies,
): Promise<CheckedCredential | null> {
  const presented = body.subject_token === undefined ? null : parseCredential(body.subject_token)
  const id = presented?.id ?? body.credential
  if (id === undefined) return null
  const standing = await findCredential(db, id, (found) => mayAsk(caller, found))
  if (!standing) throw new Problem('not_found')
  const verified = await rehearseCheck(standing, presented ?? null, context)
  return { standing, isSecretPresented: presented !== null, verified }
}

function mayAsk(caller: Caller, standing: Standing): boolean {
  const isNear = caller.isPlatformWide || caller.standing.organization.id === standing.organization.id
  const isAuditor = ['tokens:admin', 'audit:read'].some((scope) => anyCovers(caller.scopes, scope))
  return isNear && (isAuditor || subjectOf(standing) === caller.subject)
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

const viewDecision = (decision: Decision) => ({
  subject: decision.subject,
  organization: decision.organization.slug,
  client_id: decision.clientId,
  audiences: [...decision.audiences],
  scopes: [...decision.scopes],
  expires_in: decision.lifetimeSeconds,
  signing_alg: decision.signingAlg,
  subject_token_expires_in: decision.subjectExpiresInSeconds,
})
