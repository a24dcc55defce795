import { createPrivateKey, sign } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { type ProofTerms, type ProvenRequest, verifyProof } from '../../../src/dpop/proof.ts'
import type { ProofProblem } from '../../../src/protocol/dpop.ts'
import { athOf, createProofKey, type ProofKey } from '../../support/dpop.ts'

const NOW = new Date('2030-01-01T00:00:00.000Z')
const IAT = NOW.getTime() / 1000
const URI = 'https://sts.example.com/oauth2/token'
const TERMS: ProofTerms = { maxAgeSeconds: 60, acceptsNonce: null }
const REQUEST: ProvenRequest = { method: 'POST', uri: URI }
let key: ProofKey
beforeAll(async () => {
  key = await createProofKey()
})

const USUAL = { jti: 'a', htm: 'POST', htu: URI, iat: IAT }

async function verify(
  claims: Record<string, unknown> = {},
  { request = REQUEST, terms = TERMS, now = NOW } = {},
) {
  return verifyProof(await key.prove({ ...USUAL, ...claims }), request, terms, now)
}

const refused = (error: string) => ({ ok: false, error })

describe('a proof that holds', () => {
  it('says whose key it is, and what makes it the only one of its kind', async () => {
    expect(await verify({ htu: `${URI}?q` })).toEqual({
      ok: true,
      value: { keyThumbprint: key.thumbprint, jti: 'a', uri: URI },
    })
  })

  it('may have a jti of 256 characters, and no longer', async () => {
    expect((await verify({ jti: 'x'.repeat(256) })).ok).toBe(true)
    expect(await verify({ jti: 'x'.repeat(257) })).toEqual(refused('proof_claims_incomplete'))
  })
})

describe('the age of a proof', () => {
  it.each([
    ['as old as it may be, with a clock five seconds behind', IAT - 65, true],
    ['older than that', IAT - 65.001, false],
    ['five seconds ahead', IAT + 5, true],
    ['further ahead', IAT + 5.001, false],
  ])('%s', async (_age, iat, isFresh) => {
    const result = await verify({ iat })
    expect(result.ok).toBe(isFresh)
    if (!isFresh) expect(result).toEqual(refused('proof_not_fresh'))
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, null, '1', {}])('is none of %s', async (iat) => {
    expect(await verify({ iat })).toEqual(refused('proof_claims_incomplete'))
  })
})

describe('a proof for an access token', () => {
  const request = { ...REQUEST, accessToken: 'token' }

  it('has the hash of that token', async () => {
    expect((await verify({ ath: athOf('token') }, { request })).ok).toBe(true)
    expect(await verify({ ath: athOf('Token') }, { request })).toEqual(refused('proof_token_wrong'))
    expect(await verify({}, { request })).toEqual(refused('proof_token_wrong'))
  })
})

describe('where nonces are asked for', () => {
  const terms: ProofTerms = { ...TERMS, acceptsNonce: (nonce, now) => nonce === 'ours' && now === NOW }

  it('a proof must hold one', async () => {
    expect((await verify({ nonce: 'ours' }, { terms })).ok).toBe(true)
    expect(await verify({ nonce: 'theirs' }, { terms })).toEqual(refused('proof_nonce_wrong'))
    expect(await verify({}, { terms })).toEqual(refused('proof_nonce_wrong'))
    expect(await verify({ nonce: ['ours'] }, { terms })).toEqual(refused('proof_nonce_wrong'))
  })

  it('nobody is told so whose proof has anything else to mend', async () => {
    expect(await verify({ htm: 'GET' }, { terms })).toEqual(refused('proof_method_wrong'))
    expect(await verify({ iat: IAT - 100 }, { terms })).toEqual(refused('proof_not_fresh'))
  })
})

/** A proof of exactly these texts. */
function signTexts(header: string, claims: string): string {
  const signed = [header, claims].map((text) => Buffer.from(text).toString('base64url')).join('.')
  const privateKey = createPrivateKey({ key: { ...key.privateJwk }, format: 'jwk' })
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

describe('a proof that two readers could understand differently', () => {
  const headerText = () => JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk })
  const claimsText = JSON.stringify(USUAL)
  const twice = (text: string, member: string) => text.replace('{', `{${member},`)

  it.each<[string, () => string, boolean]>([
    ['nothing is named twice', () => signTexts(headerText(), claimsText), true],
    [
      'the header names a member twice',
      () => signTexts(twice(headerText(), '"typ":"JWT"'), claimsText),
      false,
    ],
    [
      'the claims name a member twice',
      () => signTexts(headerText(), twice(claimsText, '"htm":"GET"')),
      false,
    ],
    ['the claims are no object', () => signTexts(headerText(), '[]'), false],
  ])('is told: %s', async (_name, makeProof, isGood) => {
    const result = await verifyProof(makeProof(), REQUEST, TERMS, NOW)
    expect(result.ok).toBe(isGood)
    if (!isGood) expect(result).toEqual(refused('proof_malformed'))
  })
})

describe('a proof by an RSA key', () => {
  it('holds with the usual exponent, and with no other, for a long one costs time', async () => {
    const rsa = await createProofKey('PS256')
    expect((await verifyProof(await rsa.prove(USUAL), REQUEST, TERMS, NOW)).ok).toBe(true)
    const jwk = { ...rsa.jwk, e: rsa.jwk.n }
    expect(await verifyProof(await rsa.prove(USUAL, { jwk }), REQUEST, TERMS, NOW)).toEqual(
      refused('proof_key_unusable'),
    )
  })
})

describe('what is wrong with a proof, for the record', () => {
  const prove = (header: Record<string, unknown>) => key.prove(USUAL, header)
  it.each<[ProofProblem, () => Promise<string>]>([
    ['proof_malformed', async () => 'a.b'],
    ['proof_malformed', async () => `${await prove({})}=`],
    ['proof_malformed', async () => `${await prove({})}\n`],
    ['proof_malformed', () => prove({ crit: ['b64'], b64: true })],
    ['proof_type_wrong', () => prove({ typ: 'JWT' })],
    ['proof_type_wrong', () => prove({ typ: 'application/dpop+jwt' })],
    ['proof_algorithm_unsupported', async () => (await createProofKey('ES512')).prove(USUAL)],
    ['proof_key_unusable', () => prove({ jwk: undefined })],
    ['proof_key_unusable', () => prove({ jwk: key.privateJwk })],
    ['proof_signature_wrong', () => prove({ jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } })],
    ['proof_signature_wrong', () => prove({ jwk: { ...key.jwk, crv: 'P-384' } })],
    ['proof_uri_wrong', () => key.prove({ ...USUAL, htu: 'https://evil.test/oauth2/token' })],
    ['proof_uri_wrong', () => key.prove({ ...USUAL, htu: 7 })],
  ])('is %s', async (problem, makeProof) => {
    expect(await verifyProof(await makeProof(), REQUEST, TERMS, NOW)).toEqual(refused(problem))
  })
})
