import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyCovers, covers, isConcreteScope, narrowScopes } from '../../../src/protocol/scope.ts'
import { CONCRETE_SCOPES, GRANTABLE_SCOPES, MODEL_SCOPES, rightsOfSet, scopeSet } from './scope-fixture.ts'

const RUNS = { numRuns: 500 }

const isSubset = (part: ReadonlySet<string>, whole: ReadonlySet<string>): boolean =>
  [...part].every((right) => whole.has(right))

describe('covers', () => {
  it('says exactly when all that one scope allows is allowed by another', () => {
    const wrong = MODEL_SCOPES.flatMap((held) =>
      MODEL_SCOPES.filter(
        (wanted) => covers(held.scope, wanted.scope) !== isSubset(wanted.rights, held.rights),
      ).map((wanted) => `${held.scope} over ${wanted.scope}`),
    )
    expect(wrong).toEqual([])
  })

  it('is reflexive', () => {
    expect(GRANTABLE_SCOPES.filter((scope) => !covers(scope, scope))).toEqual([])
  })

  it('is antisymmetric: two different scopes never cover each other', () => {
    const mutual = GRANTABLE_SCOPES.flatMap((a) =>
      GRANTABLE_SCOPES.filter((b) => a !== b && covers(a, b) && covers(b, a)).map((b) => [a, b]),
    )
    expect(mutual).toEqual([])
  })

  it('is transitive', () => {
    const broken = GRANTABLE_SCOPES.flatMap((a) =>
      GRANTABLE_SCOPES.filter((b) => covers(a, b)).flatMap((b) =>
        GRANTABLE_SCOPES.filter((c) => covers(b, c) && !covers(a, c)).map((c) => [a, b, c]),
      ),
    )
    expect(broken).toEqual([])
  })
})

describe('narrowScopes', () => {
  it('allows exactly what both sets allow', () => {
    fc.assert(
      fc.property(scopeSet, scopeSet, (a, b) => {
        const common = [...rightsOfSet(a)].filter((right) => rightsOfSet(b).has(right))
        expect(rightsOfSet(narrowScopes(a, b))).toEqual(new Set(common))
      }),
      RUNS,
    )
  })

  it('gives only scopes that some scope of each set covers', () => {
    fc.assert(
      fc.property(scopeSet, scopeSet, (a, b) => {
        const escaped = narrowScopes(a, b).filter((scope) => !anyCovers(a, scope) || !anyCovers(b, scope))
        expect(escaped).toEqual([])
      }),
      RUNS,
    )
  })

  it('loses nothing: a scope that both sets cover, the result covers', () => {
    fc.assert(
      fc.property(scopeSet, scopeSet, (a, b) => {
        const narrowed = narrowScopes(a, b)
        const lost = GRANTABLE_SCOPES.filter(
          (scope) => anyCovers(a, scope) && anyCovers(b, scope) && !anyCovers(narrowed, scope),
        )
        expect(lost).toEqual([])
      }),
      RUNS,
    )
  })

  it('is commutative', () => {
    fc.assert(
      fc.property(scopeSet, scopeSet, (a, b) => {
        expect(narrowScopes(a, b)).toEqual(narrowScopes(b, a))
      }),
      RUNS,
    )
  })

  it('is associative', () => {
    fc.assert(
      fc.property(scopeSet, scopeSet, scopeSet, (a, b, c) => {
        expect(narrowScopes(narrowScopes(a, b), c)).toEqual(narrowScopes(a, narrowScopes(b, c)))
      }),
      RUNS,
    )
  })

  it('is idempotent: a set narrowed by itself allows the same, and its result is a fixed point', () => {
    fc.assert(
      fc.property(scopeSet, (a) => {
        const narrowed = narrowScopes(a, a)
        expect(rightsOfSet(narrowed)).toEqual(rightsOfSet(a))
        expect(narrowScopes(narrowed, narrowed)).toEqual(narrowed)
        expect(narrowScopes(narrowed, a)).toEqual(narrowed)
      }),
      RUNS,
    )
  })

  it('is monotone: holding more never gives less', () => {
    fc.assert(
      fc.property(scopeSet, scopeSet, scopeSet, (a, more, b) => {
        const wider = narrowScopes([...a, ...more], b)
        expect(narrowScopes(a, b).filter((scope) => !anyCovers(wider, scope))).toEqual([])
      }),
      RUNS,
    )
  })

  it('has nothing as its zero', () => {
    fc.assert(
      fc.property(scopeSet, (a) => {
        expect(narrowScopes(a, [])).toEqual([])
      }),
    )
  })

  it('says nothing twice: distinct, sorted, and none covered by another', () => {
    fc.assert(
      fc.property(scopeSet, scopeSet, (a, b) => {
        const narrowed = narrowScopes(a, b)
        expect(narrowed).toEqual([...new Set(narrowed)].sort())
        const redundant = narrowed.filter((one) =>
          narrowed.some((other) => other !== one && covers(other, one)),
        )
        expect(redundant).toEqual([])
      }),
      RUNS,
    )
  })

  it('gives only concrete scopes as soon as one side has only those', () => {
    fc.assert(
      fc.property(scopeSet, fc.subarray([...CONCRETE_SCOPES]), (held, declared) => {
        expect(narrowScopes(held, declared).filter((scope) => !isConcreteScope(scope))).toEqual([])
      }),
      RUNS,
    )
  })

  it('does not depend on order or repetition', () => {
    const shuffled = scopeSet.chain((a) =>
      fc.tuple(fc.constant(a), fc.shuffledSubarray([...a, ...a], { minLength: a.length * 2 })),
    )
    fc.assert(
      fc.property(shuffled, scopeSet, ([a, twice], b) => {
        expect(narrowScopes(twice, b)).toEqual(narrowScopes(a, b))
      }),
    )
  })
})
