// An issuer for the verifier's tests: one real key per algorithm, tokens and status lists signed with them, and its
// endpoints.

import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose'
import { expect, onTestFinished } from 'vitest'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../../src/protocol/access-token.ts'
import { encodeStatusList } from '../../../src/server/status/encode-status-list.ts'
import type { VerifierFetch } from '../../../src/verify/fetch-document.ts'
import { createVerifier, type Verifier, type VerifierOptions } from '../../../src/verify/index.ts'
import { VerifyError } from '../../../src/verify/verify-error.ts'

/** A verifier that asks over the network; what it would do in the background ends with the test. */
export function openVerifier(options: VerifierOptions): Verifier {
  const verifier = createVerifier(options)
  onTestFinished(() => verifier.close())
  return verifier
}

export const ISSUER = 'https://patmint.example.com'
export const AUDIENCE = 'https://api.example.com'
export const NOW = new Date('2026-01-01T12:00:00Z')
export const NOW_SECONDS = NOW.getTime() / 1000

export const LISTS_PATH = '/oauth2/status-lists'
export const LIST_URI = `${ISSUER}${LISTS_PATH}/0`

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
  status: { status_list: { idx: 7, uri: LIST_URI } },
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

/** Entries of a status list that are not 0. */
export type Statuses = Iterable<readonly [index: number, status: number]>

export interface SignedListOptions {
  /** Claims that differ from those of a list that is good at `NOW`, and for five minutes after. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  readonly key?: SigningKey
}

/** A Status List Token of 64 entries of two bits. */
export async function signStatusList(
  statuses: Statuses = [],
  { claims, header, key = signingKey('ES256') }: SignedListOptions = {},
): Promise<string> {
  const status_list = await encodeStatusList(64, 2, statuses)
  const usual = { sub: LIST_URI, iat: NOW_SECONDS, exp: NOW_SECONDS + 300, ttl: 30, status_list }
  return signToken({ ...usual, ...claims }, { typ: 'statuslist+jwt', ...header }, key)
}

/** What `stubFetch` answers: nothing is revoked in it. */
export const CLEAN_LIST = await signStatusList()

/** A `fetch` that answers `jwks` and a status list, in which nothing is revoked, and counts how often it was asked. */
export function stubFetch(jwks: unknown = JWKS): VerifierFetch & { calls: number } {
  const stub = Object.assign(
    async (url: string) => {
      stub.calls += 1
      return url.includes(LISTS_PATH) ? new Response(CLEAN_LIST) : Response.json(jwks)
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

export interface IssuerServer extends AsyncDisposable {
  readonly url: string
  /** Paths that were asked for. */
  readonly requests: string[]
  jwks: unknown
  statuses: Statuses
  /** Answers instead of the issuer. */
  answer: RequestListener | undefined
  /** A token of this issuer, good at the time of the clock. */
  readonly issue: (claims?: Readonly<Record<string, unknown>>, key?: SigningKey) => Promise<string>
}

/** An issuer on a real port that tells the real time. */
export async function serveIssuer(): Promise<IssuerServer> {
  const server = await serve(async (request, response) => {
    const path = request.url ?? ''
    issuer.requests.push(path)
    if (issuer.answer) return issuer.answer(request, response)
    if (path === '/.well-known/jwks.json') return response.end(JSON.stringify(issuer.jwks))
    const iat = Math.floor(Date.now() / 1000)
    const claims = { sub: issuer.url + path, iat, exp: iat + 300 }
    return response.end(await signStatusList(issuer.statuses, { claims }))
  })
  const issuer: IssuerServer = {
    url: server.url,
    requests: [],
    jwks: JWKS,
    statuses: [],
    answer: undefined,
    issue: (claims = {}, key = signingKey('ES256')) => {
      const iat = Math.floor(Date.now() / 1000)
      const status = { status_list: { idx: 7, uri: `${server.url}${LISTS_PATH}/0` } }
      return signToken({ ...CLAIMS, iss: server.url, iat, exp: iat + 300, status, ...claims }, {}, key)
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
  return issuer
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
