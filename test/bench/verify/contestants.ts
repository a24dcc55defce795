// Who verifies: our library, those it is compared with, each as its documentation sets it up with the key in memory, and
// the signature alone.

import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier as createFastVerifier } from 'fast-jwt'
import { compactVerify, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { createVerifier, type VerifierOptions } from '../../../src/verify/index.ts'
import type { Issuer } from './issuer.ts'

/** Throws or rejects when the token does not pass. */
export type Verify = (token: string) => unknown

export interface Contestant {
  readonly id: string
  readonly name: string
  /** Whether it is measured on tokens it has accepted before. */
  readonly isRemembering: boolean
  /** One that has its keys, and has seen none of the tokens. */
  start(issuer: Issuer): Verify | Promise<Verify>
}

export const REFERENCE = 'signature'

const NO_STATUS_LIST = { statusList: null }

export const CONTESTANTS: readonly Contestant[] = [
  fresh(REFERENCE, 'jose: the signature alone', ({ cryptoKey, algorithm }) => {
    const options = { algorithms: [algorithm] }
    return (token) => compactVerify(token, cryptoKey, options)
  }),
  fresh('patmint', 'patmint/verify, no status list', (issuer) => startPatmint(issuer, NO_STATUS_LIST)),
  remembering('patmint-again', 'patmint/verify, no status list, again', (issuer) =>
    startPatmint(issuer, NO_STATUS_LIST),
  ),
  fresh('patmint-status', 'patmint/verify, all checks', (issuer) => startPatmint(issuer, {})),
  remembering('patmint-status-again', 'patmint/verify, all checks, again', (issuer) =>
    startPatmint(issuer, {}),
  ),
  fresh('jose', 'jose: jwtVerify', ({ cryptoKey, algorithm, issuer, audience }) => {
    const options = { algorithms: [algorithm], issuer, audience, typ: 'at+jwt' }
    return (token) => jwtVerify(token, cryptoKey, options)
  }),
  fresh('jsonwebtoken', 'jsonwebtoken', ({ keyObject, algorithm, issuer, audience }) => {
    const options = { algorithms: [algorithm], issuer, audience }
    return (token) => jsonwebtoken.verify(token, keyObject, options)
  }),
  fresh('fast-jwt', 'fast-jwt', (issuer) => startFastJwt(issuer, false)),
  remembering('fast-jwt-again', 'fast-jwt with its cache, again', (issuer) => startFastJwt(issuer, true)),
  fresh('aws-jwt-verify', 'aws-jwt-verify', startAws),
]

function fresh(id: string, name: string, start: Contestant['start']): Contestant {
  return { id, name, isRemembering: false, start }
}

function remembering(id: string, name: string, start: Contestant['start']): Contestant {
  return { id, name, isRemembering: true, start }
}

/** Fetches keys and list with a token that is not among those that count. */
async function startPatmint(
  { issuer, audience, fetch, spareToken }: Issuer,
  options: Partial<VerifierOptions>,
): Promise<Verify> {
  const verifier = createVerifier({ issuer, audience, fetch, ...options })
  await verifier.verify(spareToken)
  return (token) => verifier.verify(token)
}

function startFastJwt({ pem, algorithm, issuer, audience }: Issuer, cache: boolean): Verify {
  return createFastVerifier({
    key: pem,
    algorithms: [algorithm],
    allowedIss: issuer,
    allowedAud: audience,
    cache,
  })
}

function startAws({ issuer, audience, jwk }: Issuer): Verify {
  const verifier = JwtVerifier.create({ issuer, audience, jwksUri: `${issuer}/.well-known/jwks.json` })
  verifier.cacheJwks({ keys: [jwk] })
  return (token) => verifier.verifySync(token)
}
