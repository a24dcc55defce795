import { describe, expect, it } from 'vitest'
import { AccessTokenHeaders } from '../../../src/verify/access-token-header.ts'

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const tokenBy = (kid: string, typ = 'at+jwt'): string =>
  `${encode({ alg: 'ES256', typ, kid })}.${encode({})}.AAAA`

describe('the headers of access tokens', () => {
  it('are read once where they are kept, and anew where they are not', () => {
    const headers = new AccessTokenHeaders()
    const header = headers.read(tokenBy('one'))
    expect(header).toEqual({ alg: 'ES256', kid: 'one' })
    expect(headers.read(tokenBy('one'))).not.toBe(header)
    headers.keep(tokenBy('one'), header)
    expect(headers.read(tokenBy('one'))).toBe(header)
    expect(headers.read(tokenBy('two'))).toEqual({ alg: 'ES256', kid: 'two' })
  })

  it('do not spare a token the look at its form', () => {
    const headers = new AccessTokenHeaders()
    const token = tokenBy('one')
    headers.keep(token, headers.read(token))
    for (const other of [`${token}=`, `${token}.`, token.slice(0, token.lastIndexOf('.'))])
      expect(() => headers.read(other)).toThrow('The token is not a JWT')
  })

  it('are kept for as many keys as an issuer may have, not without end', () => {
    const headers = new AccessTokenHeaders()
    const first = headers.read(tokenBy('0'))
    for (let kid = 0; kid < 32; kid += 1)
      headers.keep(tokenBy(String(kid)), kid === 0 ? first : headers.read(tokenBy(String(kid))))
    expect(headers.read(tokenBy('0'))).toBe(first)
    headers.keep(tokenBy('32'), headers.read(tokenBy('32')))
    expect(headers.read(tokenBy('0'))).not.toBe(first)
  })
})
