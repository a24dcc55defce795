import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LifetimeWish, resolveExpiry } from '../../../../src/server/policy/creation.ts'
import { effectiveExpiry } from '../../../../src/server/policy/effective-expiry.ts'
import { anyPolicies, buildPolicies, DAY, from, instant, NOW, ROLES } from './policy-fixture.ts'

const DEFAULT: LifetimeWish = { kind: 'default' }
const NEVER: LifetimeWish = { kind: 'never' }
const until = (at: Date): LifetimeWish => ({ kind: 'until', at })

const resolve = (wish: LifetimeWish, policies = buildPolicies(), role = 'analyst') =>
  resolveExpiry(wish, policies, role, NOW)

const violation = (level: string, limitSeconds: number) => ({
  ok: false,
  error: { reason: 'policy_violation', rule: 'max_lifetime', level, limitSeconds },
})

describe('a wish for an instant', () => {
  const policies = buildPolicies({ maxLifetimeSeconds: 30 * DAY })

  it('is granted as it is without a policy', () => {
    expect(resolve(until(from(NOW, 36_500 * DAY)))).toEqual({ ok: true, value: from(NOW, 36_500 * DAY) })
  })

  it('is granted up to the maximum, and refused a millisecond later', () => {
    const last = from(NOW, 30 * DAY)
    expect(resolve(until(from(last, 0, -1)), policies)).toEqual({ ok: true, value: from(last, 0, -1) })
    expect(resolve(until(last), policies)).toEqual({ ok: true, value: last })
    expect(resolve(until(from(last, 0, 1)), policies)).toEqual(violation('platform', 30 * DAY))
    expect(resolve(until(from(last, 1)), policies)).toEqual(violation('platform', 30 * DAY))
  })

  it('is measured against the stricter level, which the refusal names', () => {
    const both = buildPolicies({ maxLifetimeSeconds: 30 * DAY }, { maxLifetimeSeconds: 7 * DAY })
    expect(resolve(until(from(NOW, 8 * DAY)), both)).toEqual(violation('organization', 7 * DAY))
  })

  it('is not measured against the default or the idle time-out', () => {
    const lax = buildPolicies({ defaultLifetimeSeconds: DAY, idleTimeoutSeconds: DAY })
    expect(resolve(until(from(NOW, 30 * DAY)), lax)).toEqual({ ok: true, value: from(NOW, 30 * DAY) })
  })
})

describe('a wish for as long as before', () => {
  const upTo = (at: Date | null): LifetimeWish => ({ kind: 'up_to', at })
  const last = from(NOW, 30 * DAY)
  const policies = buildPolicies({ maxLifetimeSeconds: 90 * DAY }, { maxLifetimeSeconds: 30 * DAY })

  it.each([
    ['is granted up to the maximum', from(last, 0, -1), from(last, 0, -1)],
    ['is granted at the maximum', last, last],
    ['ends with the maximum where it goes beyond', from(last, 0, 1), last],
    ['ends with the maximum where it was for ever', null, last],
  ])('%s', (_, at, end) => {
    expect(resolve(upTo(at), policies)).toEqual({ ok: true, value: end })
  })

  it('is granted as it is where no maximum binds', () => {
    expect(resolve(upTo(null))).toEqual({ ok: true, value: null })
    const exempting = buildPolicies({ maxLifetimeSeconds: DAY, exemptRoles: ['analyst'] })
    expect(resolve(upTo(last), exempting)).toEqual({ ok: true, value: last })
  })
})

describe('a wish for ever', () => {
  it('is granted where no maximum binds', () => {
    expect(resolve(NEVER)).toEqual({ ok: true, value: null })
    expect(resolve(NEVER, buildPolicies({ defaultLifetimeSeconds: DAY }, {}))).toEqual({
      ok: true,
      value: null,
    })
  })

  it('is refused under any maximum', () => {
    expect(resolve(NEVER, buildPolicies({ maxLifetimeSeconds: 36_500 * DAY }))).toEqual(
      violation('platform', 36_500 * DAY),
    )
  })
})

describe('no wish', () => {
  it('gives the default, or the maximum where there is only that, or for ever', () => {
    expect(resolve(DEFAULT, buildPolicies({ defaultLifetimeSeconds: 30 * DAY }))).toEqual({
      ok: true,
      value: from(NOW, 30 * DAY),
    })
    expect(resolve(DEFAULT, buildPolicies({ maxLifetimeSeconds: 90 * DAY }))).toEqual({
      ok: true,
      value: from(NOW, 90 * DAY),
    })
    expect(resolve(DEFAULT)).toEqual({ ok: true, value: null })
  })

  it('gives the maximum where another level has a longer default', () => {
    const policies = buildPolicies({ maxLifetimeSeconds: 7 * DAY }, { defaultLifetimeSeconds: 30 * DAY })
    expect(resolve(DEFAULT, policies)).toEqual({ ok: true, value: from(NOW, 7 * DAY) })
  })

  it('gives the stricter of two defaults', () => {
    const policies = buildPolicies({ defaultLifetimeSeconds: 30 * DAY }, { defaultLifetimeSeconds: 7 * DAY })
    expect(resolve(DEFAULT, policies)).toEqual({ ok: true, value: from(NOW, 7 * DAY) })
  })

  it('is never refused', () => {
    fc.assert(
      fc.property(anyPolicies, fc.constantFrom(...ROLES), (policies, role) => {
        expect(resolveExpiry(DEFAULT, policies, role, NOW).ok).toBe(true)
      }),
    )
  })
})

describe('an exempt role', () => {
  const policies = buildPolicies({ maxLifetimeSeconds: DAY, exemptRoles: ['analyst'] })

  it('may live for ever where others may not', () => {
    expect(resolve(NEVER, policies)).toEqual({ ok: true, value: null })
    expect(resolve(NEVER, policies, 'admin')).toEqual(violation('platform', DAY))
  })

  it('is bound by the level that does not exempt it', () => {
    const both = { ...policies, organization: buildPolicies({ maxLifetimeSeconds: 7 * DAY }).platform }
    expect(resolve(NEVER, both)).toEqual(violation('organization', 7 * DAY))
  })
})

describe('a policy for new credentials', () => {
  it('binds the one that is being made', () => {
    const policies = buildPolicies({ maxLifetimeSeconds: DAY, appliesTo: 'new', appliesSince: NOW })
    expect(resolve(NEVER, policies)).toEqual(violation('platform', DAY))
  })
})

describe('what is granted', () => {
  const wish = fc.oneof(fc.constant(DEFAULT), fc.constant(NEVER), instant.map(until))
  const request = fc.tuple(wish, anyPolicies, fc.constantFrom(...ROLES))

  it('is never beyond the maximum of a level that binds', () => {
    fc.assert(
      fc.property(request, ([wanted, policies, role]) => {
        const granted = resolveExpiry(wanted, policies, role, NOW)
        fc.pre(granted.ok)
        const expiresAt = granted.value?.getTime() ?? Number.POSITIVE_INFINITY
        const maxima = [policies.platform, policies.organization]
          .filter((policy) => policy && !policy.exemptRoles.includes(role))
          .map((policy) => policy?.maxLifetimeSeconds ?? Number.POSITIVE_INFINITY)
        expect(expiresAt).toBeLessThanOrEqual(Math.min(...maxima) * 1000 + NOW.getTime())
      }),
    )
  })

  it('is exactly what was wished for, where something was', () => {
    fc.assert(
      fc.property(request, ([wanted, policies, role]) => {
        const granted = resolveExpiry(wanted, policies, role, NOW)
        fc.pre(granted.ok && wanted.kind !== 'default')
        expect(granted.value).toEqual(wanted.kind === 'until' ? wanted.at : null)
      }),
    )
  })

  it('is not shortened by the maximum from the first moment on', () => {
    fc.assert(
      fc.property(request, ([wanted, policies, roleName]) => {
        const granted = resolveExpiry(wanted, policies, roleName, NOW)
        fc.pre(granted.ok)
        const lifespan = { createdAt: NOW, expiresAt: granted.value, lastUsedAt: null, roleName }
        expect(effectiveExpiry(lifespan, policies)?.cause).not.toBe('max_lifetime')
      }),
    )
  })
})
