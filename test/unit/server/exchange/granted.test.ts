import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyCovers } from '../../../../src/protocol/scope.ts'
import { listGranted } from '../../../../src/server/exchange/granted.ts'
import { listTargets } from '../../../../src/server/exchange/target.ts'
import { API, buildGrant, buildRole, buildStanding } from '../credential/standing-fixture.ts'
import { anyAttempt, buildClient } from './exchange-fixture.ts'

const OTHER = 'https://other.example.com'
const role = buildRole({ grants: [buildGrant(), buildGrant({ audience: OTHER, scopes: ['models:*'] })] })

const scopesAt = (
  permissions: { audience: string; scopes: string[] }[] | null,
  audiences: readonly string[] = [],
) =>
  listGranted(buildStanding({ role, credential: { permissions } }), audiences).map(({ audience, scopes }) => [
    audience,
    scopes,
  ])

describe('listGranted', () => {
  it('leaves wildcards as the role has them, whatever is declared', () => {
    expect(scopesAt(null)).toEqual([
      [API, ['models:read', 'datasets:*']],
      [OTHER, ['models:*']],
    ])
  })

  it('narrows them to what the credential chose, and leaves out where that is nothing', () => {
    expect(scopesAt([{ audience: API, scopes: ['*:read', 'datasets:drop'] }])).toEqual([
      [API, ['datasets:drop', 'datasets:read', 'models:read']],
    ])
    expect(scopesAt([])).toEqual([])
  })

  it('gives the audiences asked for alone', () => {
    expect(scopesAt(null, [OTHER])).toEqual([[OTHER, ['models:*']]])
    expect(listGranted(buildStanding({ role: null }))).toEqual([])
  })

  it('covers all that the credential can be exchanged for', () => {
    fc.assert(
      fc.property(anyAttempt, ({ standing }) => {
        const granted = listGranted(standing)
        for (const { audience, scopes } of listTargets(standing, buildClient())) {
          const here = granted.find((one) => one.audience === audience)?.scopes ?? []
          expect(scopes.filter((scope) => !anyCovers(here, scope))).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })
})
