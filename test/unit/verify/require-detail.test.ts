import { describe, expect, it } from 'vitest'
import { type AuthorizationDetail, requireDetail } from '../../../src/verify/index.ts'
import { AUDIENCE, catchRefusal } from './issuer-fixture.ts'

const OTHER = 'https://other.example.com'
const READ: AuthorizationDetail = { type: 'models', actions: ['read'] }
const READ_M1: AuthorizationDetail = { ...READ, identifier: 'm1' }

const claimsOf = (held: unknown, aud: string | string[] = AUDIENCE) => ({
  aud,
  authorization_details: held as AuthorizationDetail[],
})

async function isHeld(
  required: AuthorizationDetail | AuthorizationDetail[],
  claims: ReturnType<typeof claimsOf>,
) {
  try {
    requireDetail(claims, required)
    return true
  } catch (error) {
    expect((await catchRefusal(() => Promise.reject(error))).code).toBe('details_insufficient')
    return false
  }
}

describe('requireDetail', () => {
  it.each<[AuthorizationDetail[], AuthorizationDetail | AuthorizationDetail[], boolean]>([
    [[READ], READ, true],
    [[READ], READ_M1, true],
    [[READ_M1], READ_M1, true],
    [[READ_M1], READ, false],
    [[READ_M1], { ...READ, identifier: 'm2' }, false],
    [[READ], { ...READ, type: 'datasets' }, false],
    [[READ], { ...READ, actions: ['read', 'write'] }, false],
    [[READ, { ...READ, actions: ['write'] }], { ...READ, actions: ['read', 'write'] }, true],
    [[READ], [READ, { ...READ, actions: ['write'] }], false],
    [[], READ, false],
  ])('finds in %j enough for %j: %s', async (held, required, expected) => {
    expect(await isHeld(required, claimsOf(held))).toBe(expected)
  })

  it.each([undefined, [null, 7, 'models'], [{ type: 'models', actions: ['read'], privileges: 'all' }]])(
    'finds nothing in %j',
    async (held) => {
      expect(await isHeld(READ, claimsOf(held))).toBe(false)
    },
  )

  it('does not take a right at one service for one at another', async () => {
    const there = claimsOf([{ ...READ, locations: [OTHER] }], [AUDIENCE, OTHER])
    expect(await isHeld(READ, there)).toBe(false)
    expect(await isHeld({ ...READ, locations: [AUDIENCE] }, there)).toBe(false)
    expect(await isHeld({ ...READ, locations: [OTHER] }, there)).toBe(true)
    expect(await isHeld({ ...READ, locations: [OTHER] }, claimsOf([READ]))).toBe(false)
  })

  it('takes details without locations for all audiences of the token', async () => {
    const claims = claimsOf([READ], [AUDIENCE, OTHER])
    expect(await isHeld(READ, claims)).toBe(true)
    expect(await isHeld({ ...READ, locations: [OTHER, AUDIENCE] }, claims)).toBe(true)
  })

  it('says as a scope what it takes', async () => {
    const error = await catchRefusal(() =>
      requireDetail(claimsOf([]), { ...READ_M1, actions: ['read', 'write'] }),
    )
    expect([error.status, error.wwwAuthenticate]).toEqual([
      403,
      'Bearer error="insufficient_scope", scope="models/m1:read models/m1:write"',
    ])
  })

  it.each([[[]], [{}], [null], ['models:read'], [{ type: 'models' }], [{ type: 'models', actions: [] }]])(
    'is called wrongly with %j',
    (details) => {
      const careless: unknown = details
      expect(() => requireDetail(claimsOf([READ]), careless as AuthorizationDetail)).toThrow(
        new TypeError('requireDetail: name at least one detail, each with a type and actions'),
      )
    },
  )
})
