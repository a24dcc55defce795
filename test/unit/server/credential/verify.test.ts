import { describe, expect, it } from 'vitest'
import type { Standing } from '../../../../src/server/credential/standing.ts'
import {
  type Circumstances,
  createRecheckCredential,
  createVerifyCredential,
  type ReportReuse,
} from '../../../../src/server/credential/verify.ts'
import { ID, makeCredential } from '../../protocol/credential-fixture.ts'
import { buildPolicies, DAY, from, NOW } from '../policy/policy-fixture.ts'
import { createHasher } from './hasher-fixture.ts'
import { buildKeyStanding, buildStanding, type StandingOverrides } from './standing-fixture.ts'

const hasher = createHasher()
const pat = makeCredential()
const secretHash = await hasher.hash(pat)
const ADDRESS = '10.0.0.1'

const nobodyReuses: ReportReuse<Circumstances> = () => Promise.reject(new Error('reuse was reported'))

const stored = (overrides: StandingOverrides = {}): Standing => buildStanding({ secretHash, ...overrides })

const holding =
  (standing: Standing | undefined) =>
  async ({ id }: { readonly id: string }) =>
    id === standing?.credential.id ? standing : undefined

/** Verifies `presented` where the database holds `standing` under its id, and nothing else. */
const verify = (
  standing: Standing | undefined,
  presented = pat,
  context = { now: NOW, address: ADDRESS },
  reportReuse = nobodyReuses,
) => createVerifyCredential(holding(standing), hasher, reportReuse)(presented, context)

const refused = (standing: Standing | undefined, refusal: object) => ({
  ok: false,
  error: { refusal, standing },
})

describe('verifying a credential', () => {
  it('gives its standing', async () => {
    const standing = stored()
    expect(await verify(standing)).toEqual({ ok: true, value: standing })
  })

  it('gives the standing of an API key', async () => {
    const standing = buildKeyStanding({ secretHash })
    expect(await verify(standing, makeCredential('organization'))).toEqual({ ok: true, value: standing })
  })

  it('refuses one nobody knows', async () => {
    expect(await verify(undefined)).toEqual(refused(undefined, { reason: 'credential_unknown' }))
    const stranger = makeCredential('personal', 'ffffffffffffffff')
    expect(await verify(stored(), stranger)).toEqual(refused(undefined, { reason: 'credential_unknown' }))
  })

  it('refuses a PAT presented as an API key, and the other way round', async () => {
    const personal = stored()
    expect(await verify(personal, makeCredential('organization'))).toEqual(
      refused(personal, { reason: 'credential_unknown' }),
    )
    const key = buildKeyStanding({ secretHash })
    expect(await verify(key, pat)).toEqual(refused(key, { reason: 'credential_unknown' }))
  })

  it('refuses a wrong secret', async () => {
    const standing = stored()
    const forged = makeCredential('personal', ID, '00'.repeat(20))
    expect(await verify(standing, forged)).toEqual(refused(standing, { reason: 'secret_mismatch' }))
  })

  it('judges nothing else before the secret is right', async () => {
    const standing = stored({
      credential: { revokedAt: NOW, allowedCidrs: ['192.0.2.0/24'] },
      owner: null,
      role: null,
    })
    const forged = makeCredential('personal', ID, '00'.repeat(20))
    expect(await verify(standing, forged)).toEqual(refused(standing, { reason: 'secret_mismatch' }))
  })

  it('refuses what has a problem, and names the true cause', async () => {
    const revoked = stored({ credential: { revokedAt: from(NOW, -1) } })
    expect(await verify(revoked)).toEqual(refused(revoked, { reason: 'credential_revoked' }))
    const blocked = stored({ policies: buildPolicies({ maxLifetimeSeconds: DAY }) })
    expect(await verify(blocked)).toEqual(
      refused(blocked, { reason: 'blocked_by_policy', rule: 'max_lifetime' }),
    )
  })

  it('accepts a credential a millisecond before it expires, and refuses it when it does', async () => {
    const standing = stored({ credential: { expiresAt: NOW } })
    expect((await verify(standing, pat, { now: from(NOW, 0, -1), address: ADDRESS })).ok).toBe(true)
    expect(await verify(standing)).toEqual(refused(standing, { reason: 'credential_expired' }))
  })

  it('refuses an address outside the allowed blocks', async () => {
    const standing = stored({ credential: { allowedCidrs: ['10.0.0.0/31', '2001:db8::/32'] } })
    expect((await verify(standing, pat, { now: NOW, address: '10.0.0.1' })).ok).toBe(true)
    expect((await verify(standing, pat, { now: NOW, address: '2001:db8::7' })).ok).toBe(true)
    for (const address of ['10.0.0.2', '2001:db9::7', '']) {
      expect(await verify(standing, pat, { now: NOW, address })).toEqual(
        refused(standing, { reason: 'address_not_allowed' }),
      )
    }
  })

  it('names a problem of the credential before one of the address', async () => {
    const standing = stored({ credential: { allowedCidrs: ['192.0.2.0/24'], revokedAt: NOW } })
    expect(await verify(standing)).toEqual(refused(standing, { reason: 'credential_revoked' }))
  })

  it('admits nobody where the list of blocks is empty, and everybody where there is none', async () => {
    expect((await verify(stored({ credential: { allowedCidrs: [] } }))).ok).toBe(false)
    expect((await verify(stored({ credential: { allowedCidrs: null } }))).ok).toBe(true)
  })
})

describe('a credential whose successor has taken over', () => {
  const context = { now: NOW, address: ADDRESS }
  const collect = () => {
    const reports: unknown[] = []
    const reportReuse: ReportReuse<Circumstances> = async (...report) => {
      reports.push(report)
    }
    return { reports, reportReuse }
  }

  it('is reported when it comes with the right secret, and refused', async () => {
    const { reports, reportReuse } = collect()
    const standing = stored({ credential: { overlapUntil: NOW } })
    expect(await verify(standing, pat, context, reportReuse)).toEqual(
      refused(standing, { reason: 'credential_superseded' }),
    )
    expect(reports).toEqual([[standing, context]])
  })

  it('is reported wherever it comes from and whoever owns it by now', async () => {
    const { reports, reportReuse } = collect()
    const credential = { overlapUntil: NOW, allowedCidrs: ['192.0.2.0/24'], expiresAt: NOW }
    await verify(stored({ credential, role: null }), pat, context, reportReuse)
    expect(reports).toHaveLength(1)
  })

  it('is not reported a millisecond before the overlap ends, nor with a wrong secret', async () => {
    const { reports, reportReuse } = collect()
    const forged = makeCredential('personal', ID, '00'.repeat(20))
    const running = stored({ credential: { overlapUntil: from(NOW, 0, 1) } })
    const over = stored({ credential: { overlapUntil: NOW } })
    expect((await verify(running, pat, context, reportReuse)).ok).toBe(true)
    expect((await verify(over, forged, context, reportReuse)).ok).toBe(false)
    expect(reports).toEqual([])
  })

  it('is reported also when it was revoked, and never when it has no successor', async () => {
    const { reports, reportReuse } = collect()
    const revoked = stored({ credential: { overlapUntil: from(NOW, 1), revokedAt: NOW } })
    await verify(revoked, pat, context, reportReuse)
    await verify(stored({ credential: { revokedAt: NOW } }), pat, context, reportReuse)
    expect(reports).toEqual([[revoked, context]])
  })

  it('is no plain refusal when the report fails', async () => {
    const away = new Error('connection refused')
    const standing = stored({ credential: { overlapUntil: NOW } })
    await expect(verify(standing, pat, context, () => Promise.reject(away))).rejects.toBe(away)
  })
})

describe('checking again the credential of an access token', () => {
  const recheck = (standing: Standing | undefined) =>
    createRecheckCredential((id) => holding(standing)({ id }))(ID, { now: NOW, address: ADDRESS })

  it('gives its standing, or the true cause', async () => {
    const working = stored()
    expect(await recheck(working)).toEqual({ ok: true, value: working })
    const revoked = stored({ credential: { revokedAt: NOW } })
    expect(await recheck(revoked)).toEqual(refused(revoked, { reason: 'credential_revoked' }))
    const elsewhere = stored({ credential: { allowedCidrs: ['192.0.2.0/24'] } })
    expect(await recheck(elsewhere)).toEqual(refused(elsewhere, { reason: 'address_not_allowed' }))
    expect(await recheck(undefined)).toEqual(refused(undefined, { reason: 'credential_unknown' }))
  })
})

describe('the database', () => {
  it('is asked once each time, so that a revocation binds at the next one', async () => {
    const answers = [stored(), stored({ credential: { revokedAt: NOW } })]
    const asked: string[] = []
    const findStanding = async ({ id }: { id: string }) => {
      asked.push(id)
      return answers.shift()
    }
    const check = createVerifyCredential(findStanding, hasher, nobodyReuses)
    const context = { now: NOW, address: ADDRESS }
    expect((await check(pat, context)).ok).toBe(true)
    expect((await check(pat, context)).ok).toBe(false)
    expect(asked).toEqual([ID, ID])
  })

  it('that is away is a fault, never a refusal', async () => {
    const away = new Error('connection refused')
    const check = createVerifyCredential(() => Promise.reject(away), hasher, nobodyReuses)
    await expect(check(pat, { now: NOW, address: ADDRESS })).rejects.toBe(away)
  })
})
