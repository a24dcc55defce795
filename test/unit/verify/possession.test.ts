import { describe, expect, it } from 'vitest'
import { createVerifier, type PresentedProof, type VerifierOptions } from '../../../src/verify/index.ts'
import { athOf, createProofKey } from '../../support/dpop.ts'
import {
  AUDIENCE,
  CLAIMS,
  catchRefusal,
  ISSUER,
  NOW,
  NOW_SECONDS,
  signToken,
  stubFetch,
} from './issuer-fixture.ts'

const URL = 'https://api.example.com/models'
const ALGS = 'algs="ES256 EdDSA Ed25519 RS256 PS256"'
const KEY = await createProofKey()
const OTHER_KEY = await createProofKey()
const BOUND = { ...CLAIMS, cnf: { jkt: KEY.thumbprint } }
const TOKEN = await signToken(BOUND)
const BEARER_TOKEN = await signToken()

const verifierWith = (options: Partial<VerifierOptions> = {}) =>
  createVerifier({ issuer: ISSUER, audience: AUDIENCE, fetch: stubFetch(), now: () => NOW, ...options })

let proofs = 0
const prove = (claims: Record<string, unknown> = {}, key = KEY, header = {}) => {
  const usual = { jti: `proof-${++proofs}`, htm: 'GET', htu: URL, iat: NOW_SECONDS, ath: athOf(TOKEN) }
  return key.prove({ ...usual, ...claims }, header)
}

const presented = (...texts: string[]): PresentedProof => ({ proofs: texts, method: 'GET', url: URL })

async function refusalOf(proof: PresentedProof | undefined, token = TOKEN, verifier = verifierWith()) {
  const error = await catchRefusal(() => verifier.verify(token, proof), token)
  return [error.code, error.status, error.wwwAuthenticate]
}

const refused = (code: string, error: string, description: string) => [
  code,
  401,
  `DPoP error="${error}", error_description="${description}", ${ALGS}`,
]
const INVALID = refused('proof_invalid', 'invalid_dpop_proof', 'The DPoP proof is not valid')
const SPENT = refused('proof_invalid', 'invalid_dpop_proof', 'The DPoP proof was used before')
const MISMATCH = refused(
  'binding_mismatch',
  'invalid_token',
  'The token is not bound to the key of the proof',
)

describe('a token that is bound to a key', () => {
  it('is accepted with a proof of that key', async () => {
    expect(await verifierWith().verify(TOKEN, presented(await prove()))).toEqual(BOUND)
  })

  it('is accepted in a request by the scheme DPoP', async () => {
    const request = { method: 'GET', url: `${URL}?page=2#top`, authorization: `DPoP ${TOKEN}` }
    expect(await verifierWith().verifyRequest({ ...request, dpop: await prove() })).toEqual(BOUND)
  })

  it('takes a new proof each time, also when it is remembered', async () => {
    const verifier = verifierWith()
    const proof = presented(await prove())
    await verifier.verify(TOKEN, proof)
    expect(await refusalOf(proof, TOKEN, verifier)).toEqual(SPENT)
    await verifier.verify(TOKEN, presented(await prove()))
  })

  it('passes once however many times its proof comes at once', async () => {
    const verifier = verifierWith()
    const proof = presented(await prove())
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => verifier.verify(TOKEN, proof)))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('is refused from a bearer, who is told of DPoP', async () => {
    expect(await refusalOf(undefined)).toEqual([
      'proof_missing',
      401,
      `Bearer error="invalid_token", error_description="The token needs a proof of its key", DPoP ${ALGS}`,
    ])
  })

  it('is refused without a proof', async () => {
    expect(await refusalOf(presented())).toEqual(
      refused('proof_missing', 'invalid_token', 'The token needs a proof of its key'),
    )
  })

  it('is refused with two', async () => {
    expect(await refusalOf(presented(await prove(), await prove()))).toEqual(
      refused('proof_invalid', 'invalid_dpop_proof', 'The request has two DPoP headers'),
    )
    expect(await refusalOf(presented(`${await prove()}, ${await prove()}`))).toEqual(INVALID)
  })

  it('is refused with a proof of another key', async () => {
    expect(await refusalOf(presented(await prove({}, OTHER_KEY)))).toEqual(MISMATCH)
  })

  it.each<[string, Record<string, unknown>, object]>([
    ['another method', { htm: 'POST' }, {}],
    ['another URL', { htu: `${URL}/m1` }, {}],
    ['another token', { ath: athOf('another') }, {}],
    ['no token', { ath: undefined }, {}],
    ['a minute and six seconds ago', { iat: NOW_SECONDS - 66 }, {}],
    ['six seconds from now', { iat: NOW_SECONDS + 6 }, {}],
    ['another type', {}, { typ: 'JWT' }],
    ['a private key', {}, { jwk: KEY.privateJwk }],
  ])('is refused with a proof of %s', async (_name, claims, header) => {
    expect(await refusalOf(presented(await prove(claims, KEY, header)))).toEqual(INVALID)
  })

  it('says in the log and not to the client what is wrong with a proof', async () => {
    const proof = presented(await prove({ htm: 'POST' }))
    const error = await catchRefusal(() => verifierWith().verify(TOKEN, proof))
    expect(error.cause).toEqual(new Error('proof_method_wrong'))
  })

  it('does not use up a proof that is refused', async () => {
    const verifier = verifierWith()
    const text = await prove()
    expect(await refusalOf({ ...presented(text), method: 'POST' }, TOKEN, verifier)).toEqual(INVALID)
    await verifier.verify(TOKEN, presented(text))
  })

  it('is accepted with a proof as old as the options say', async () => {
    const verifier = verifierWith({ dpop: { proofSeconds: 10 } })
    await verifier.verify(TOKEN, presented(await prove({ iat: NOW_SECONDS - 15 })))
    const late = presented(await prove({ iat: NOW_SECONDS - 16 }))
    expect(await refusalOf(late, TOKEN, verifier)).toEqual(INVALID)
  })

  it('has its proofs noted where the options say', async () => {
    const noted: [string, number][] = []
    const noteOnce = async (id: string, seconds: number) => noted.push([id, seconds]) < 2
    const verifier = verifierWith({ dpop: { noteOnce } })
    await verifier.verify(TOKEN, presented(await prove()))
    expect(await refusalOf(presented(await prove()), TOKEN, verifier)).toEqual(SPENT)
    expect(noted).toEqual([
      [expect.stringMatching(/^[\w-]{43}$/), 140],
      [expect.stringMatching(/^[\w-]{43}$/), 140],
    ])
  })

  it.each<[string, () => unknown, unknown]>([
    ['rejects', () => Promise.reject(new Error('the store is away')), new Error('the store is away')],
    [
      'throws',
      () => {
        throw new Error('the store is away')
      },
      new Error('the store is away'),
    ],
    ['never answers', () => new Promise(() => undefined), new Error('dpop.noteOnce took too long')],
  ])('cannot be told good when what notes its proofs %s', async (_name, note, cause) => {
    const noteOnce = note as () => boolean
    const verifier = verifierWith({ timeoutSeconds: 0.1, dpop: { noteOnce } })
    const proof = presented(await prove())
    const error = await catchRefusal(() => verifier.verify(TOKEN, proof))
    expect(error).toMatchObject({ code: 'replay_memory_unavailable', status: 503, retryAfterSeconds: 5 })
    expect(error.cause).toEqual(cause)
  })

  it.each([
    null,
    {},
    [],
    'key',
    { jkt: '' },
    { jkt: 7 },
    { jkt: KEY.thumbprint, 'x5t#S256': 'another' },
    { 'x5t#S256': 'A'.repeat(43) },
  ])('in a way that is not checked, %j, is refused', async (cnf) => {
    const token = await signToken({ ...CLAIMS, cnf })
    const [code, status] = await refusalOf(presented(await prove()), token)
    expect([code, status]).toEqual(['claim_invalid', 401])
  })
})

describe('a token that is bound to none', () => {
  it('is not made one by a proof', async () => {
    const proof = presented(await prove({ ath: athOf(BEARER_TOKEN) }))
    expect(await refusalOf(proof, BEARER_TOKEN)).toEqual(MISMATCH)
  })
})

describe('with DPoP switched off', () => {
  const verifier = verifierWith({ dpop: null })
  const REFUSED = [
    'binding_unsupported',
    401,
    'Bearer error="invalid_token", error_description="Tokens that are bound to a key are not accepted"',
  ]

  it('a bound token is refused, with a proof and without', async () => {
    expect(await refusalOf(undefined, TOKEN, verifier)).toEqual(REFUSED)
    expect(await refusalOf(presented(await prove()), TOKEN, verifier)).toEqual(REFUSED)
  })

  it('so is a proof of a token that is bound to none', async () => {
    const proof = presented(await prove({ ath: athOf(BEARER_TOKEN) }))
    expect(await refusalOf(proof, BEARER_TOKEN, verifier)).toEqual(REFUSED)
  })

  it('a bearer is accepted', async () => {
    expect(await verifier.verify(BEARER_TOKEN)).toEqual(CLAIMS)
  })
})
