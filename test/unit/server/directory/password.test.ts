import argon2 from 'argon2'
import { describe, expect, it } from 'vitest'
import { hashPassword } from '../../../../src/server/directory/password.ts'
import { deriveKeys } from '../../../../src/server/secret/secret-keys.ts'

const peppers = deriveKeys([Buffer.alloc(32, 'a'), Buffer.alloc(32, 'b')], 'password-pepper')
const secret = peppers.current.bytes
const stored = await hashPassword('correct horse', peppers)

describe('the hash of a password', () => {
  it('is argon2id at OWASP cost, and names the pepper', () => {
    const [, algorithm, version, parameters = '', salt = '', digest = ''] = stored.split('$')
    const data = Buffer.from(peppers.current.id, 'base64url').toString('base64')
    expect([algorithm, version]).toEqual(['argon2id', 'v=19'])
    expect(parameters.split(',').sort()).toEqual([`data=${data}`, 'm=19456', 'p=1', 't=2'])
    expect(Buffer.from(salt, 'base64')).toHaveLength(16)
    expect(Buffer.from(digest, 'base64')).toHaveLength(32)
  })

  it('is of that password under the first pepper, and of nothing else', async () => {
    expect(await argon2.verify(stored, 'correct horse', { secret })).toBe(true)
    expect(await argon2.verify(stored, 'correct horsf', { secret })).toBe(false)
    expect(await argon2.verify(stored, 'correct horse')).toBe(false)
  })

  it('has its own salt', async () => {
    expect(await hashPassword('correct horse', peppers)).not.toBe(stored)
  })

  it('is the same password however a keyboard composes its characters', async () => {
    const decomposed = await hashPassword('pa\u0308sswo\u0308rd \ufb01ne', peppers)
    expect(await argon2.verify(decomposed, 'p\u00e4ssw\u00f6rd fine', { secret })).toBe(true)
  })
})
