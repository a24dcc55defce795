import { describe, expect, it } from 'vitest'
import { formatRequestUrl } from '../../../src/verify/request-url.ts'

describe('the URL that a proof has to be for', () => {
  it.each([
    ['https://api.example.com', '/orders', 'https://api.example.com/orders'],
    ['https://api.example.com/', '/orders', 'https://api.example.com/orders'],
    ['https://example.com/shop', '/orders?page=2', 'https://example.com/shop/orders?page=2'],
    ['http://localhost:8080', '/', 'http://localhost:8080/'],
  ])('below %s is for %s %s', (publicUrl, target, url) => {
    expect(formatRequestUrl(publicUrl, target, null)).toBe(url)
  })

  it.each([
    ['the absolute form', 'http://evil.example/orders?page=2', 'https://api.example.com/orders?page=2'],
    ['what looks like a host', '//evil.example/orders', 'https://api.example.com//evil.example/orders'],
    ['what looks like a user', '@evil.example/orders', 'https://api.example.com'],
    ['the asterisk of OPTIONS', '*', 'https://api.example.com'],
  ])('never gets its host from the request, by %s', (_name, target, url) => {
    expect(formatRequestUrl('https://api.example.com', target, null)).toBe(url)
  })

  it('is what the service says, where it says so for each request', () => {
    const publicUrl = ({ tenant }: { tenant: string }) => `https://${tenant}.example.com/orders`
    expect(formatRequestUrl(publicUrl, '/ignored', { tenant: 'acme' })).toBe(
      'https://acme.example.com/orders',
    )
  })

  it('is empty where the service says nothing: no proof is for that', () => {
    expect(formatRequestUrl(undefined, '/orders', null)).toBe('')
  })
})
