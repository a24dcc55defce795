import { describe, expect, it } from 'vitest'
import { findEndpointProblem, findIssuerProblem, formatEndpointUrl } from '../../../src/verify/issuer-url.ts'

const NOT_HTTPS = 'must use https (plain http is for loopback hosts only)'
const NOT_A_URL = 'must be an absolute http(s) URL'

describe('findIssuerProblem', () => {
  it.each([
    'https://patmint.example.com',
    'https://patmint.example.com/tenant/',
    'http://localhost:8693',
    'http://127.0.0.1:8693',
    'http://127.8.9.10',
    'http://[::1]:8693',
  ])('has nothing against %s', (issuer) => {
    expect(findIssuerProblem(issuer)).toBeUndefined()
  })

  it.each([
    'http://patmint.example.com',
    'http://10.0.0.1',
    'http://0.0.0.0',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://notlocalhost',
    'http://[::2]',
  ])('refuses plain http to %s unless told otherwise', (issuer) => {
    expect(findIssuerProblem(issuer)).toBe(NOT_HTTPS)
    expect(findIssuerProblem(issuer, true)).toBeUndefined()
  })

  it.each([
    '',
    'patmint',
    '/relative',
    'ftp://a',
    'https:',
    'https://',
    'HTTPS:\\\\a',
    'https://a\\b',
    ' https://a',
    'https://a\n',
  ])('refuses %j', (issuer) => {
    expect(findIssuerProblem(issuer)).toBe(NOT_A_URL)
  })

  it.each(['https://a?', 'https://a?b=c', 'https://a#', 'https://a/b#c'])('refuses %s', (issuer) => {
    expect(findIssuerProblem(issuer)).toBe('must have no query and no fragment')
  })

  it('refuses credentials in the URL, which would end up in logs', () => {
    expect(findIssuerProblem('https://jane:secret@patmint.example.com')).toBe(
      'must not hold a user name or password',
    )
  })
})

describe('findEndpointProblem', () => {
  it('allows a query, which an issuer may not have', () => {
    expect(findEndpointProblem('https://keys.example.com/jwks?tenant=acme')).toBeUndefined()
  })
})

describe('formatEndpointUrl', () => {
  it.each([
    ['https://a', 'https://a/oauth2/token'],
    ['https://a/', 'https://a/oauth2/token'],
    ['https://a/tenant', 'https://a/tenant/oauth2/token'],
    ['https://a/tenant/', 'https://a/tenant/oauth2/token'],
  ])('puts the endpoint below %s', (issuer, url) => {
    expect(formatEndpointUrl(issuer, '/oauth2/token')).toBe(url)
  })
})
