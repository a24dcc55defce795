import { describe, expect, it } from 'vitest'
import { createNonces, NONCE_SPAN_SECONDS } from '../../../../src/server/dpop/nonce.ts'
import { deriveKeys } from '../../../../src/server/secret/secret-keys.ts'

const [OLD, NEW, FOREIGN] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer]
const noncesOf = (...keys: [Buffer, ...Buffer[]]) => createNonces(deriveKeys(keys, 'dpop-nonce'))

/** The first instant of a span. */
const START = NONCE_SPAN_SECONDS * 1_000_000
const at = (seconds: number): Date => new Date((START + seconds) * 1000)

describe('a nonce', () => {
  const nonces = noncesOf(NEW)

  it('stays the same for its span, and is another one in the next', () => {
    expect(nonces.issue(at(NONCE_SPAN_SECONDS - 0.001))).toBe(nonces.issue(at(0)))
    expect(nonces.issue(at(NONCE_SPAN_SECONDS))).not.toBe(nonces.issue(at(0)))
  })

  it('is accepted until the span after its own ends', () => {
    const nonce = nonces.issue(at(0))
    expect(nonces.accepts(nonce, at(0))).toBe(true)
    expect(nonces.accepts(nonce, at(2 * NONCE_SPAN_SECONDS - 0.001))).toBe(true)
    expect(nonces.accepts(nonce, at(2 * NONCE_SPAN_SECONDS))).toBe(false)
  })

  it('of the future is not accepted', () => {
    expect(nonces.accepts(nonces.issue(at(NONCE_SPAN_SECONDS)), at(0))).toBe(false)
  })

  it('is accepted by an instance that has the same secret key, wherever in its list', () => {
    const nonce = noncesOf(OLD).issue(at(0))
    expect(noncesOf(NEW, OLD).accepts(nonce, at(0))).toBe(true)
    expect(noncesOf(OLD, NEW).accepts(nonce, at(0))).toBe(true)
    expect(noncesOf(NEW, FOREIGN).accepts(nonce, at(0))).toBe(false)
  })

  it.each(['', 'nonce', 'A'.repeat(43)])('is not %j', (text) => {
    expect(nonces.accepts(text, at(0))).toBe(false)
  })
})
