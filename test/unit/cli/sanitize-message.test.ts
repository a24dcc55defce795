import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sanitizeMessage } from '../../../src/cli/sanitize-message.ts'
import { generateCredential } from '../../../src/protocol/credential.ts'

describe('sanitizeMessage', () => {
  it('takes every credential out, wherever it stands', () => {
    const credential = fc
      .tuple(fc.constantFrom('personal', 'organization'), fc.uint8Array({ minLength: 20, maxLength: 20 }))
      .map(([kind, bytes]) => generateCredential(kind, (length) => bytes.subarray(0, length)))
    fc.assert(
      fc.property(fc.string(), credential, fc.string(), (before, secret, after) => {
        const text = sanitizeMessage(before + secret.reveal() + after)
        expect(text).toContain('[redacted]')
        expect(text).not.toContain(secret.revealSecret())
      }),
    )
  })

  it('takes out a credential that lost some characters', () => {
    expect(sanitizeMessage('--token=pat_0123456789ABCDEF01')).toBe('--token=[redacted]')
  })

  it('leaves words alone that only begin like one', () => {
    expect(sanitizeMessage('key_rotation of pat_deadbeef')).toBe('key_rotation of pat_deadbeef')
  })

  it('takes out what would steer a terminal, and keeps line feeds', () => {
    expect(sanitizeMessage('a\u001b[2Jb\r\u0007\u009b\u202ec\nd')).toBe('a[2Jbc\nd')
  })
})
