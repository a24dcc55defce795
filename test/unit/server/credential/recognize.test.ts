import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createRecognizeCredentials, HASHES_AT_ONCE } from '../../../../src/server/credential/recognize.ts'
import { API_KEY, ID, makeCredential, PAT } from '../../protocol/credential-fixture.ts'
import { NOW } from '../policy/policy-fixture.ts'
import { buildKeyStanding, buildStanding } from './standing-fixture.ts'

const matching = { matches: async () => true }
const PREFIX = `pat_${ID.slice(0, 6)}`

describe('recognizing credentials', () => {
  it('finds nothing out about what is no credential by its form, and asks nobody', async () => {
    const recognize = createRecognizeCredentials(() => Promise.reject(new Error('looked up')), matching)
    expect(await recognize(['', 'x', PAT.slice(1), ` ${PAT}`, PAT.toUpperCase()])).toEqual(
      Array.from({ length: 5 }, () => ({ status: 'malformed' })),
    )
  })

  it('knows one whose secret matches, also when it works no more', async () => {
    const revoked = buildStanding({ credential: { revokedAt: NOW } })
    const recognize = createRecognizeCredentials(async () => revoked, matching)
    expect(await recognize([PAT])).toEqual([{ status: 'known', prefix: PREFIX, id: ID }])
  })

  it('tells an unknown id, a wrong secret and another kind apart from nothing but a known one', async () => {
    const unknown = { status: 'unknown', prefix: PREFIX }
    const none = createRecognizeCredentials(async () => undefined, matching)
    const wrong = createRecognizeCredentials(async () => buildStanding(), { matches: async () => false })
    const key = createRecognizeCredentials(async () => buildKeyStanding(), matching)
    expect(await none([PAT])).toEqual([unknown])
    expect(await wrong([PAT])).toEqual([unknown])
    expect(await key([PAT, API_KEY])).toEqual([
      unknown,
      { status: 'known', prefix: API_KEY.slice(0, 10), id: ID },
    ])
  })

  it('answers in the order asked, hashes what is given twice once, and only a few at a time', async () => {
    const values = Array.from({ length: 20 }, (_, n) =>
      makeCredential('personal', n.toString(16).padStart(16, '0')).reveal(),
    )
    let running = 0
    let most = 0
    const hashed: string[] = []
    const recognize = createRecognizeCredentials(async (id) => buildStanding({ credential: { id } }), {
      matches: async ({ id }) => {
        most = Math.max(most, ++running)
        await sleep(1)
        running -= 1
        hashed.push(id)
        return true
      },
    })
    const found = await recognize([...values, ...values])
    expect(found.map((one) => (one.status === 'known' ? one.id : null))).toEqual(
      [...values, ...values].map((value) => value.slice(4, 20)),
    )
    expect([hashed.length, most]).toEqual([20, HASHES_AT_ONCE])
  })
})
