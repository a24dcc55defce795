// A verifier with the JWKS and the status list, as a service would have one: it never asks about a token.

import { inflateSync } from 'node:zlib'
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'

export type TokenStatus = 'valid' | 'invalid' | 'suspended'

const STATUSES: readonly TokenStatus[] = ['valid', 'invalid', 'suspended']

interface KnownList {
  readonly claims: JWTPayload
  readonly bytes: Buffer
}

/** Thrown when there is no list that holds: nothing can be said of any token. */
export class NoStatusList extends Error {}

/** Fetches over `serverUrl` what stands at `issuer`. It keeps a list for its `ttl`, and in need until its `exp`. */
export class StatusListVerifier {
  readonly #serverUrl: string
  readonly #issuer: string
  readonly #clock: () => Date
  readonly #lists = new Map<string, KnownList>()

  constructor(server: { readonly url: string; readonly issuer: string }, clock: () => Date) {
    this.#serverUrl = server.url
    this.#issuer = server.issuer
    this.#clock = clock
  }

  /** What the list says of an access token that is valid by itself. */
  async statusOf(token: string): Promise<TokenStatus> {
    const { payload } = await this.#verify(token, 'at+jwt')
    const { status_list: reference } = payload['status'] as { status_list: { idx: number; uri: string } }
    const { bytes } = await this.#getList(reference.uri)
    const byte = bytes[reference.idx >> 2]
    // Section 8.3: of an index beyond the list nothing is known.
    if (byte === undefined) throw new NoStatusList(`no entry ${reference.idx}`)
    return STATUSES[(byte >> ((reference.idx & 3) * 2)) & 3] ?? 'invalid'
  }

  async #getList(uri: string): Promise<KnownList> {
    const known = this.#lists.get(uri)
    const now = this.#clock().getTime() / 1000
    const { iat = 0, exp = 0, ttl } = known?.claims ?? {}
    if (known && now < iat + Number(ttl)) return known
    const fetched = await this.#fetchList(uri)
    if (fetched) this.#lists.set(uri, fetched)
    else if (!known || now >= exp) throw new NoStatusList(uri)
    return fetched ?? known ?? this.#getList(uri)
  }

  async #fetchList(uri: string): Promise<KnownList | undefined> {
    const answer = await fetch(this.#reach(uri), { headers: { Accept: 'application/statuslist+jwt' } })
    if (answer.status !== 200) return undefined
    const { payload: claims } = await this.#verify(await answer.text(), 'statuslist+jwt', [
      'exp',
      'iat',
      'ttl',
    ])
    if (claims.sub !== uri) throw new Error(`${uri} holds the list of ${claims.sub}`)
    const { bits, lst } = claims['status_list'] as { bits: number; lst: string }
    if (bits !== 2) throw new Error(`${bits} bits`)
    return { claims, bytes: inflateSync(Buffer.from(lst, 'base64url')) }
  }

  async #verify(token: string, typ: string, requiredClaims: string[] = ['exp']) {
    const answer = await fetch(this.#reach(`${this.#issuer}/.well-known/jwks.json`))
    const keys = createLocalJWKSet((await answer.json()) as JSONWebKeySet)
    return jwtVerify(token, keys, { typ, requiredClaims, currentDate: this.#clock() })
  }

  #reach(uri: string): string {
    if (!uri.startsWith(`${this.#issuer}/`)) throw new Error(`${uri} is not the issuer's`)
    return this.#serverUrl + uri.slice(this.#issuer.length)
  }
}
