import type { Context, Middleware } from 'koa'
import { describe, expect, it } from 'vitest'
import { normalizeAddress, pinOrigin } from '../../../../src/server/http/edge.ts'
import { createContext, type FakeRequest } from './context-fixture.ts'

const ISSUER = 'https://sts.example.com'

async function run(middleware: Middleware, request: FakeRequest): Promise<Context & { wasNext: boolean }> {
  const ctx = Object.assign(createContext(request), { wasNext: false })
  await middleware(ctx, async () => {
    ctx.wasNext = true
  })
  return ctx
}

describe('pinOrigin', () => {
  it.each([
    ['another Host header', { url: '/p?q=1', headers: { host: 'evil.example' } }],
    ['no Host header', { url: '/p?q=1' }],
    [
      'proxy headers',
      {
        url: '/p?q=1',
        headers: {
          host: 'sts.example.com',
          'x-forwarded-host': 'evil.example',
          'x-forwarded-proto': 'http',
          forwarded: 'host=evil.example;proto=http',
        },
      },
    ],
    ['credentials in the Host header', { url: '/p?q=1', headers: { host: 'sts.example.com@evil.example' } }],
    ['an absolute request line', { url: 'http://evil.example/p?q=1', headers: { host: 'sts.example.com' } }],
    ['an absolute request line in capitals', { url: 'HTTP://EVIL.EXAMPLE/p?q=1' }],
    ['an absolute request line with credentials', { url: 'http://sts.example.com@evil.example/p?q=1' }],
  ])('makes every URL the issuer’s in spite of %s', async (_, request) => {
    const ctx = await run(pinOrigin(ISSUER), request)
    expect(ctx.wasNext).toBe(true)
    expect({
      href: ctx.href,
      host: ctx.host,
      hostname: ctx.hostname,
      protocol: ctx.protocol,
      secure: ctx.secure,
      path: ctx.path,
      query: ctx.querystring,
      url: ctx.url,
      originalUrl: ctx.originalUrl,
      parsed: ctx.URL.href,
    }).toEqual({
      href: 'https://sts.example.com/p?q=1',
      host: 'sts.example.com',
      hostname: 'sts.example.com',
      protocol: 'https',
      secure: true,
      path: '/p',
      query: 'q=1',
      url: '/p?q=1',
      originalUrl: '/p?q=1',
      parsed: 'https://sts.example.com/p?q=1',
    })
  })

  it('keeps the port and the scheme of the issuer', async () => {
    const ctx = await run(pinOrigin('http://localhost:8693'), { url: '/', headers: { host: 'evil.example' } })
    expect([ctx.href, ctx.host, ctx.protocol, ctx.secure]).toEqual([
      'http://localhost:8693/',
      'localhost:8693',
      'http',
      false,
    ])
  })

  it('does not take a path of two slashes for another host', async () => {
    const ctx = await run(pinOrigin(ISSUER), { url: '//evil.example/p' })
    expect([ctx.host, ctx.href]).toEqual(['sts.example.com', 'https://sts.example.com//evil.example/p'])
  })

  it('lets a request about the server itself pass', async () => {
    const ctx = await run(pinOrigin(ISSUER), { url: '*', method: 'OPTIONS' })
    expect([ctx.wasNext, ctx.url, ctx.host]).toEqual([true, '*', 'sts.example.com'])
  })
})

describe('normalizeAddress', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::1', '::1'],
    ['::ffff:a00:1', '::ffff:a00:1'],
    ['1::ffff:10.0.0.1', '1::ffff:10.0.0.1'],
  ])('makes of %s %s', async (remoteAddress, ip) => {
    const ctx = await run(normalizeAddress, { remoteAddress })
    expect([ctx.wasNext, ctx.ip, ctx.request.ip]).toEqual([true, ip, ip])
  })

  it('believes no header', async () => {
    const headers = { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1', 'x-real-ip': '192.0.2.1' }
    expect((await run(normalizeAddress, { remoteAddress: '10.0.0.1', headers })).ip).toBe('10.0.0.1')
  })
})
