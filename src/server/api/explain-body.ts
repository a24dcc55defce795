// What `/exchange/explain` is asked: the parameters of an exchange, and what would come with it.

import { z } from 'zod'
import type { Result } from '../../protocol/result.ts'
import { PAT_TYPE } from '../../protocol/urn.ts'
import { clientId } from '../directory/schema.ts'
import { addProof } from '../exchange/possession.ts'
import type { RequestRefusal } from '../exchange/refusal.ts'
import { type ExchangeWish, parseExchangeWish, type TokenParameters } from '../exchange/request.ts'
import { credentialId } from './schema.ts'

const MAX_TEXT = 16_000
const text = z.string().max(MAX_TEXT)
const repeatable = z.union([text, z.array(text).max(100)])

export const explainBody = z
  .strictObject({
    credential: credentialId
      .optional()
      .describe('Public id, in place of `subject_token`: the secret is taken to be right'),
    subject_token: text.optional().describe('The credential itself; its secret is checked'),
    subject_token_type: text.default(PAT_TYPE).describe('What `subject_token` is'),
    client_id: clientId.default('patmint-cli').describe('Taken to be authenticated'),
    audience: repeatable.optional().describe('Which resource servers the token is for'),
    resource: repeatable.optional().describe('The same, as absolute URIs'),
    scope: text.optional().describe('Separated by blanks; absent: all that is effective'),
    authorization_details: text.optional().describe('The JSON text that an exchange has there'),
    requested_token_type: text.optional().describe('What to issue; absent: an access token'),
    actor_token: text.optional().describe('Who acts for the subject'),
    actor_token_type: text.optional().describe('What `actor_token` is'),
    dpop_jkt: z
      .string()
      .regex(/^[\w-]{43}$/)
      .optional()
      .describe('Thumbprint of the key that a DPoP proof would be by; absent: there would be none'),
    address: z
      .union([z.ipv4(), z.ipv6()])
      .optional()
      .describe('Where the exchange would come from; absent: where this request comes from'),
  })
  .refine((body) => (body.subject_token === undefined) !== (body.credential === undefined), {
    error: 'give exactly one of subject_token and credential',
  })

export type ExplainBody = z.output<typeof explainBody>

/** What is wished for, or what is wrong with it. `aliases` are further types of a subject token that mean a credential. */
export const readWish = (
  body: ExplainBody,
  aliases: readonly string[],
): Result<ExchangeWish, RequestRefusal> =>
  addProof(parseExchangeWish(toParameters(body), aliases), body.dpop_jkt)

/** The parameters as the token endpoint would read them: there, an empty one is absent. */
function toParameters({
  credential,
  client_id,
  address,
  dpop_jkt,
  ...parameters
}: ExplainBody): TokenParameters {
  const given = { ...parameters, subject_token: parameters.subject_token ?? credential }
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value || undefined]))
}
