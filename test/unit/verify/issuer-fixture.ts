// An issuer for the verifier's tests: one real key per algorithm, tokens signed with them, and its key endpoint.

import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose'
import { expect } from 'vitest'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../../src/protocol/access-token.ts'
import type { VerifierFetch } from '../../../src/verify/fetch-document.ts'
import { VerifyError } from '../../../src/verify/verify-error.ts'

export const ISSUER = 'https://patmint.example.com'
export const AUDIENCE = 'https://api.example.com'
export const NOW = new Date('2026-01-01T12:00:00Z')
export const NOW_SECONDS = NOW.getTime() / 1000

/** Claims of a token that is good at `NOW`, and for five minutes after. */
export const CLAIMS = {
  iss: ISSUER,
  sub: '0198c1f0-0000-7000-8000-000000000001',
  aud: AUDIENCE,
  exp: NOW_SECONDS + 300,
  iat: NOW_SECONDS,
  jti: 'token-1',
  client_id: 'patmint-cli',
  scope: 'models:read datasets:read',
  org: 'acme',
  cred: '0123456789abcdef',
}

export interface SigningKey {
  readonly alg: SigningAlgorithm
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

export async function createSigningKey(alg: SigningAlgorithm, kid: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), alg, kid, use: 'sig' } }
}

const made = await Promise.all(SIGNING_ALGORITHMS.map(async (alg) => createSigningKey(alg, `key-${alg}`)))

/** The issuer's key for an algorithm; its kid is `key-<alg>`. */
export function signingKey(alg: SigningAlgorithm): SigningKey {
  const key = made.find((candidate) => candidate.alg === alg)
  if (!key) throw new Error(`no key for ${alg}`)
  return key
}

export const JWKS = { keys: made.map((key) => key.publicJwk) }

/** Signs `payload`, JSON or raw text, with a header that `header` overrides; `undefined` takes a member out. */
export function signToken(
  payload: object | string = CLAIMS,
  header: Readonly<Record<string, unknown>> = {},
  key: SigningKey = signingKey('ES256'),
): Promise<string> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const protectedHeader = { alg: key.alg, typ: 'at+jwt', kid: key.kid, ...header }
  return new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader(protectedHeader)
    .sign(key.privateKey)
}

const encodePart = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token put together by hand, for what no library would sign. */
export const assembleToken = (header: unknown, payload: unknown, signature: string): string =>
  `${encodePart(header)}.${encodePart(payload)}.${signature}`

/** A `fetch` that answers `jwks` and counts how often it was asked. */
export function stubFetch(jwks: unknown = JWKS): VerifierFetch & { calls: number } {
  const stub = Object.assign(
    async () => {
      stub.calls += 1
      return Response.json(jwks)
    },
    { calls: 0 },
  )
  return stub
}

/** Serves on a free loopback port; closed, with open connections, when the scope that holds it ends. */
export async function serve(listener: RequestListener): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** The `VerifyError` that `attempt` ends in, after searching all it would print for any part of `token`. */
export async function catchRefusal(attempt: () => unknown, token = ''): Promise<VerifyError> {
  const error = await Promise.resolve()
    .then(attempt)
    .then(
      () => undefined,
      (reason: unknown) => reason,
    )
  if (!(error instanceof VerifyError)) throw new Error('expected a VerifyError', { cause: error })
  const printed = `${inspect(error, { depth: 9 })} ${error.message} ${error.wwwAuthenticate}`
  for (const part of token.split('.').filter((part) => part.length > 8)) expect(printed).not.toContain(part)
  return error
}
