// A client that authenticates by private_key_jwt (RFC 7523), with a key of its own.

import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { TOKEN_EXCHANGE_GRANT } from '../../src/protocol/urn.ts'
import { insertClient, NO_CLIENT_SECRETS_OR_KEYS } from '../../src/server/directory/client-store.ts'
import type { TestServer } from './test-server.ts'

const CLIENT_ID = 'batch'
const HEADER = { alg: 'ES256', kid: 'batch-1' } as const
const VALIDITY_SECONDS = 60

/** Form parameters of one authentication; `claims` and `header` stand over the usual ones of the assertion. */
export type Assert = (
  claims?: Record<string, unknown>,
  header?: Record<string, unknown>,
) => Promise<Record<string, string>>

export interface AssertionKey {
  /** The public half. */
  readonly jwk: Record<string, unknown>
  readonly assert: Assert
}

/** Registers the client with a server; gives what makes a new assertion for that server each time. */
export async function registerAssertionClient({ db, issuer }: TestServer): Promise<Assert> {
  const { jwk, assert } = await createAssertionKey(CLIENT_ID, issuer)
  const client = {
    clientId: CLIENT_ID,
    builtIn: false,
    name: 'Batch',
    authMethod: 'private_key_jwt',
    ...NO_CLIENT_SECRETS_OR_KEYS,
    jwks: { keys: [jwk] },
    grantTypes: [TOKEN_EXCHANGE_GRANT],
    audiences: null,
  } as const
  await insertClient(db, client, new Date())
  return assert
}

/** A key for the client of this id: its public half, and what makes assertions with it for the server `issuer`. */
export async function createAssertionKey(
  clientId: string,
  issuer: string,
  { alg, kid }: { readonly alg: string; readonly kid: string } = HEADER,
): Promise<AssertionKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const assert: Assert = async (claims = {}, header = {}) => {
    const iat = Math.floor(Date.now() / 1000)
    const usual = {
      iss: clientId,
      sub: clientId,
      aud: issuer,
      jti: crypto.randomUUID(),
      iat,
      exp: iat + VALIDITY_SECONDS,
    }
    return {
      client_id: clientId,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg, kid, ...header })
        .sign(privateKey),
    }
  }
  return { jwk: { ...(await exportJWK(publicKey)), alg, kid }, assert }
}
