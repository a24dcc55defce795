// What the API accepts about a client.

import { z } from 'zod'
import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import { MAX_SECRET_OVERLAP_SECONDS } from '../directory/client-secret-change.ts'
import { audience, displayName, isDistinct, jwks, jwksUri, newClientId } from '../directory/schema.ts'
import { changesOf } from './schema.ts'

const MAX_AUDIENCES = 200

const audiences = z
  .array(audience)
  .min(1)
  .max(MAX_AUDIENCES)
  .refine(isDistinct, { error: 'must name each audience once' })
  .nullable()
  .describe('What the client may ask tokens for; null: every resource server')
const grantTypes = z
  .array(z.enum([TOKEN_EXCHANGE_GRANT]))
  .refine(isDistinct, { error: 'must name each grant type once' })
  .describe('What the client may ask by; none: `unauthorized_client`, whatever it asks')

const base = {
  client_id: newClientId,
  name: displayName,
  audiences: audiences.default(null),
  grant_types: grantTypes.default([TOKEN_EXCHANGE_GRANT]),
}

interface Keys {
  readonly jwks?: unknown
  readonly jwks_uri?: unknown
}
const hasKeys = ({ jwks, jwks_uri }: Keys): boolean => (jwks === undefined) !== (jwks_uri === undefined)
const hasOneKindOfKeys = ({ jwks, jwks_uri }: Keys): boolean => jwks === undefined || jwks_uri === undefined

export const newClientBody = z.discriminatedUnion('token_endpoint_auth_method', [
  z.strictObject({ ...base, token_endpoint_auth_method: z.literal('none') }),
  z.strictObject({
    ...base,
    token_endpoint_auth_method: z.enum(['client_secret_basic', 'client_secret_post']),
  }),
  z
    .strictObject({
      ...base,
      token_endpoint_auth_method: z.literal('private_key_jwt'),
      jwks: jwks.optional(),
      jwks_uri: jwksUri.optional(),
    })
    .refine(hasKeys, { error: 'must have either jwks or jwks_uri' }),
])

export const clientChanges = changesOf({
  name: displayName,
  audiences,
  grant_types: grantTypes,
  jwks,
  jwks_uri: jwksUri,
}).refine(hasOneKindOfKeys, { error: 'must not have both jwks and jwks_uri' })

export const rotateSecretBody = z.strictObject({
  overlap_seconds: z
    .int()
    .min(0)
    .max(MAX_SECRET_OVERLAP_SECONDS)
    .default(0)
    .describe('How long the old secret works on; 0: not at all, nor does one before it'),
})
