import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redactCredentials } from '../../../src/protocol/credential.ts'
import { API_KEY, anyCredential, ID, PAT, SECRET } from './credential-fixture.ts'

describe('redactCredentials', () => {
  it.each([
    [PAT, '[redacted]'],
    [`Bearer ${PAT}`, 'Bearer [redacted]'],
    [`/p/${PAT}/q?key=${API_KEY}&x=1`, '/p/[redacted]/q?key=[redacted]&x=1'],
    [PAT.toUpperCase(), '[redacted]'],
    [`my_${PAT}.`, 'my_[redacted].'],
  ])('takes the credentials out of %s', (text, redacted) => {
    expect(redactCredentials(text)).toBe(redacted)
  })

  it('takes one out whatever stands around it', () => {
    fc.assert(
      fc.property(anyCredential, fc.string(), fc.string(), (credential, before, after) => {
        const redacted = redactCredentials(before + credential.reveal() + after)
        expect(redacted).not.toContain(credential.revealSecret())
        expect(redacted).toContain('[redacted]')
      }),
    )
  })

  it('takes out one that lost its end, down to its public id', () => {
    expect(redactCredentials(PAT.slice(0, -1))).toBe('[redacted]')
    expect(redactCredentials(`pat_${ID}${SECRET}`)).toBe('[redacted]')
    expect(redactCredentials(`pat_${ID}`)).toBe('[redacted]')
  })

  it.each([
    '',
    'laptop',
    'pat_012345',
    'pat_0123456789abcde',
    '/api/v1/tokens/0123456789abcdef',
    'path_0123456789abcdef',
  ])('leaves %j as it is', (text) => {
    expect(redactCredentials(text)).toBe(text)
  })
})
