// A DPoP proof that is used again counts as a failed attempt: each is worth a record, and nobody writes those without end.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { createProofKey } from '../../support/dpop.ts'
import { requestExchange } from '../../support/requests.ts'

const JWT = 'urn:ietf:params:oauth:token-type:jwt'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme({ PATMINT_FAILURES_PER_ADDRESS: '3' })
})
afterAll(() => acme.stop())

describe('proofs that were used', () => {
  it('are refused three times from one address, and then not looked at', async () => {
    const key = await createProofKey()
    const proof = await key.prove()
    const send = () =>
      requestExchange(acme.url, { subject_token: acme.samPat, audience: API }, { DPoP: proof })
    expect((await send()).status).toBe(200)
    const replays = [await send(), await send(), await send()]
    expect(replays.map(({ json }) => json['error'])).toEqual(Array(3).fill('invalid_dpop_proof'))
    // Sam's PAT has matched in this process: it goes on whatever is counted against the address, the forged one does not.
    const forged = await requestExchange(
      acme.url,
      { subject_token: 'a.b.c', subject_token_type: JWT },
      { DPoP: proof },
    )
    expect([forged.status, forged.json['error']]).toEqual([429, 'temporarily_unavailable'])
  })
})
