import { describe, expect, it } from 'vitest'
import { normalizeRequestUri } from '../../../src/dpop/request-uri.ts'

const NORMAL = 'https://sts.example.com/oauth2/token'

describe('the normal form of a request URI', () => {
  it.each([
    NORMAL,
    `${NORMAL}?`,
    `${NORMAL}?a=b#c`,
    `${NORMAL}#c`,
    'HTTPS://STS.Example.com/oauth2/token',
    'https://sts.example.com:443/oauth2/token',
    'https://sts.example.com/./oauth2/x/../token',
    'https://sts.example.com/x/%2E%2e/oauth2/token',
    'https://sts.example.com/%6fauth2/token',
  ])('is the same of %s', (text) => {
    expect(normalizeRequestUri(text)).toBe(NORMAL)
  })

  it('keeps what is another resource', () => {
    const others = [
      '/oauth2/token/',
      '/OAuth2/token',
      '/oauth2%2ftoken',
      '//oauth2/token',
      ':444/oauth2/token',
    ]
    const forms = others.map((rest) => normalizeRequestUri(`https://sts.example.com${rest}`))
    expect(forms).not.toContain(NORMAL)
    expect(new Set(forms).size).toBe(others.length)
  })

  it('is the same however odd the query is that a client sent', () => {
    expect(normalizeRequestUri(`${NORMAL}?a[]=x|y{"`)).toBe(NORMAL)
  })

  it.each(['https://[::1]:8443/a', 'https://[::1]/', "https://a.test/a;b=(c)!$&'*+,@:/~_-"])(
    'of %s is itself',
    (text) => {
      expect(normalizeRequestUri(text)).toBe(text)
    },
  )

  it('writes escapes in upper case', () => {
    expect(normalizeRequestUri('https://a.test/%c3%a9')).toBe(normalizeRequestUri('https://a.test/%C3%A9'))
  })

  it.each([
    '',
    '/oauth2/token',
    'sts.example.com/oauth2/token',
    'ftp://sts.example.com/oauth2/token',
    'https:\\\\sts.example.com/oauth2/token',
    'https://sts.example.com\\oauth2\\token',
    'https://sts.example.com/oauth2/to\nken',
    ` ${NORMAL}`,
    `${NORMAL} `,
    'https://me:pw@sts.example.com/oauth2/token',
    'https://me@sts.example.com/oauth2/token',
    'https://',
    // What the URL parser makes the normal form of.
    'https:///sts.example.com/oauth2/token',
    `${NORMAL}\0`,
    `${NORMAL}?\0`,
    'https://\u017fts.example.com/oauth2/token',
    'https://%C5%BFts.example.com/oauth2/token',
    'https://st\u00ads.example.com/oauth2/token',
    'https://sts\u3002example.com/oauth2/token',
    'https://sts.example.com/oauth2/tok\u00e9n',
    'https://sts.example.com/oauth2/{token}',
    'https://sts.example.com/oauth2/%token',
  ])('is none of %j', (text) => {
    expect(normalizeRequestUri(text)).toBeUndefined()
  })
})
