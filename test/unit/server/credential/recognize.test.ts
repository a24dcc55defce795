import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { fail, ok } from '../../../../src/protocol/result.ts'
import type { Attempt, AttemptLimits } from '../../../../src/server/credential/attempt-limits.ts'
import { createRecognizeCredentials } from '../../../../src/server/credential/recognize.ts'
import { API_KEY, ID, makeCredential, PAT } from '../../protocol/credential-fixture.ts'
import { NOW } from '../policy/policy-fixture.ts'
import { buildKeyStanding, buildStanding } from './standing-fixture.ts'

const ADDRESS = '192.0.2.1'
const UNLIMITED: AttemptLimits = { admit: async () => ok(null), noteFailure: async () => {} }
const matching = { matches: async (_: unknown, hash?: string) => hash !== undefined }
const PREFIX = `pat_${ID.slice(0, 6)}`

describe('recognizing credentials', () => {
  it('finds nothing out about what is no credential by its form, and asks nobody', async () => {
    const load = () => Promise.reject(new Error('looked up'))
    const limits = { ...UNLIMITED, noteFailure: () => Promise.reject(new Error('counted')) }
    const recognize = createRecognizeCredentials(load, matching, limits)
    const found = await recognize(['', 'x', PAT.slice(1), ` ${PAT}`, PAT.toUpperCase()], ADDRESS)
    expect(found).toEqual(ok(Array.from({ length: 5 }, () => ({ status: 'malformed' }))))
  })

  it('knows one whose secret matches, also when it works no more', async () => {
    const revoked = buildStanding({ credential: { revokedAt: NOW } })
    const recognize = createRecognizeCredentials(async () => revoked, matching, UNLIMITED)
    expect(await recognize([PAT], ADDRESS)).toEqual(ok([{ status: 'known', prefix: PREFIX, id: ID }]))
  })

  it('tells an unknown id, a wrong secret and another kind apart from nothing but a known one', async () => {
    const unknown = { status: 'unknown', prefix: PREFIX }
    const none = createRecognizeCredentials(async () => undefined, matching, UNLIMITED)
    const mismatching = { matches: async () => false }
    const wrong = createRecognizeCredentials(async () => buildStanding(), mismatching, UNLIMITED)
    const key = createRecognizeCredentials(async () => buildKeyStanding(), matching, UNLIMITED)
    expect(await none([PAT], ADDRESS)).toEqual(ok([unknown]))
    expect(await wrong([PAT], ADDRESS)).toEqual(ok([unknown]))
    expect(await key([PAT, API_KEY], ADDRESS)).toEqual(
      ok([unknown, { status: 'known', prefix: API_KEY.slice(0, 10), id: ID }]),
    )
  })

  it('answers in the order asked, hashes what is given twice once, and one after the other', async () => {
    const values = Array.from({ length: 20 }, (_, n) =>
      makeCredential('personal', n.toString(16).padStart(16, '0')).reveal(),
    )
    let running = 0
    let most = 0
    const hashed: string[] = []
    const matches = async ({ id }: { readonly id: string }) => {
      most = Math.max(most, ++running)
      await sleep(1)
      running -= 1
      hashed.push(id)
      return true
    }
    const load = async (id: string) => buildStanding({ credential: { id } })
    const found = await createRecognizeCredentials(
      load,
      { matches },
      UNLIMITED,
    )([...values, ...values], ADDRESS)
    const ids = found.ok ? found.value.map((one) => (one.status === 'known' ? one.id : null)) : null
    expect(ids).toEqual([...values, ...values].map((value) => value.slice(4, 20)))
    expect([hashed.length, most]).toEqual([20, 1])
  })

  it('counts what is unknown and what is wrong, and nothing that is known', async () => {
    const noted: Attempt[] = []
    const limits = {
      ...UNLIMITED,
      noteFailure: async (attempt: Attempt) => {
        noted.push(attempt)
      },
    }
    const [unknown, wrong, right] = ['1', '2', '3'].map((digit) =>
      makeCredential('personal', digit.repeat(16)),
    ) as [ReturnType<typeof makeCredential>, ...ReturnType<typeof makeCredential>[]]
    const recognize = createRecognizeCredentials(
      async (id) => (id === unknown.id ? undefined : buildStanding({ credential: { id } })),
      { matches: async ({ id }) => id === right?.id },
      limits,
    )
    await recognize(
      [unknown, wrong, right].map((one) => String(one?.reveal())),
      ADDRESS,
    )
    expect(noted).toEqual(
      [unknown, wrong].map((presented) => ({ address: ADDRESS, clientId: null, presented })),
    )
  })

  it('looks nothing up while there were too many failures, and stops at the one that is too many', async () => {
    const tooMany = fail({ reason: 'too_many_failures', retryAfterSeconds: 7 } as const)
    const shut = createRecognizeCredentials(() => Promise.reject(new Error('looked up')), matching, {
      ...UNLIMITED,
      admit: async () => tooMany,
    })
    expect(await shut([PAT], ADDRESS)).toEqual(tooMany)
    let failures = 0
    const closing = createRecognizeCredentials(
      async () => buildStanding(),
      { matches: async () => false },
      {
        admit: async () => (failures < 3 ? ok(null) : tooMany),
        noteFailure: async () => {
          failures += 1
        },
      },
    )
    const guesses = Array.from({ length: 10 }, (_, n) =>
      makeCredential('personal', ID, `${n}`.repeat(40)).reveal(),
    )
    expect(await closing(guesses, ADDRESS)).toEqual(tooMany)
    expect(failures).toBe(3)
  })
})
