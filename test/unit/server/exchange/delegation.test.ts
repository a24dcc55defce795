import { describe, expect, it } from 'vitest'
import type { Act } from '../../../../src/protocol/access-token.ts'
import type { PermittedActor } from '../../../../src/server/credential/standing.ts'
import { delegate } from '../../../../src/server/exchange/delegation.ts'
import { ID } from '../../protocol/credential-fixture.ts'
import { buildKeyStanding, buildStanding } from '../credential/standing-fixture.ts'
import { from, NOW } from '../policy/policy-fixture.ts'
import { buildClient, buildSubject } from './exchange-fixture.ts'

const ACTOR = `key:${ID}`
const actor = buildSubject(buildKeyStanding())

const permit = (mayAct: readonly PermittedActor[] | null, act?: Act) =>
  buildSubject(buildStanding({ credential: { mayAct } }), act ? { act } : null)

const refused = (reason: string) => ({ ok: false, error: { reason } })

/** A chain of so many actors. */
const chain = (length: number): Act => ({
  sub: `a${length}`,
  ...(length > 1 ? { act: chain(length - 1) } : {}),
})

describe('an actor', () => {
  it('acts when the credential names them', () => {
    expect(delegate(permit([{ sub: ACTOR }]), actor, buildClient())).toEqual({
      ok: true,
      value: { act: { sub: ACTOR }, endsAt: null },
    })
  })

  it.each<readonly [string, readonly PermittedActor[] | null]>([
    ['nobody', null],
    ['somebody else', [{ sub: 'key:ffffffffffffffff' }]],
    ['them for another client', [{ sub: ACTOR, client_id: 'other' }]],
    ['the same id as something else', [{ sub: ID }]],
  ])('does not act when the credential names %s', (_, mayAct) => {
    expect(delegate(permit(mayAct), actor, buildClient())).toEqual(refused('actor_not_permitted'))
  })

  it('acts at the wish of the client that is named with them', () => {
    const subject = permit([
      { sub: ACTOR, client_id: 'other' },
      { sub: ACTOR, client_id: 'patmint-cli' },
    ])
    expect(delegate(subject, actor, buildClient()).ok).toBe(true)
  })

  it('does not permit themselves: the subject does', () => {
    const generous = buildSubject(buildKeyStanding({ credential: { mayAct: [{ sub: ACTOR }] } }))
    expect(delegate(permit(null), generous, buildClient())).toEqual(refused('actor_not_permitted'))
  })

  it('stands before those who acted until now', () => {
    const result = delegate(permit([{ sub: ACTOR }], chain(3)), actor, buildClient())
    expect(result).toMatchObject({ ok: true, value: { act: { sub: ACTOR, act: chain(3) } } })
  })

  it('is not the fifth', () => {
    expect(delegate(permit([{ sub: ACTOR }], chain(4)), actor, buildClient())).toEqual(
      refused('actors_too_many'),
    )
  })

  it('is not somebody for whom another one acts', () => {
    const delegated = buildSubject(buildKeyStanding(), { act: { sub: 'key:1' } })
    expect(delegate(permit([{ sub: ACTOR }]), delegated, buildClient())).toEqual(refused('actor_delegated'))
  })

  it('acts until their own credential or token ends', () => {
    const endOf = (presenter: typeof actor) => {
      const result = delegate(permit([{ sub: ACTOR }]), presenter, buildClient())
      return result.ok ? result.value.endsAt : undefined
    }
    const expiresAt = from(NOW, 0, 60_000)
    expect(endOf(buildSubject(buildKeyStanding({ credential: { expiresAt } })))).toEqual(expiresAt)
    const inSeconds = (seconds: number) => ({ exp: NOW.getTime() / 1000 + seconds })
    expect(endOf(buildSubject(buildKeyStanding(), inSeconds(30)))).toEqual(from(NOW, 0, 30_000))
    const ending = buildKeyStanding({ credential: { expiresAt } })
    expect(endOf(buildSubject(ending, inSeconds(59)))).toEqual(from(NOW, 0, 59_000))
    expect(endOf(buildSubject(ending, inSeconds(61)))).toEqual(expiresAt)
  })
})
