import type { Context, Middleware } from 'koa'
import { describe, expect, it } from 'vitest'
import { findClient, pinOrigin } from '../../../../src/server/http/edge.ts'
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

  it.each([
    '/a/../b',
    '/a/..',
    '/..',
    '/./a',
    '/a/.',
    '/a/%2e%2e/b',
    '/a/%2E./b',
    '/a/.%2e?q',
    '/a\\..\\b',
    '/a\\b',
    'http://sts.example.com/a/../b',
  ])('refuses %s, which stands for another path than it reads', async (url) => {
    const ctx = Object.assign(createContext({ url }), { wasNext: false })
    expect(() => pinOrigin(ISSUER)(ctx, async () => {})).toThrow(
      expect.objectContaining({ code: 'invalid_request', message: 'The request target is malformed' }),
    )
    expect([ctx.url, ctx.originalUrl]).toEqual(['/', '/'])
  })

  it.each(['/a..b', '/..a', '/a../b', '/...', '/a%2fb', '/%252e%252e/a', '/a?b=/../c', '/a?b=\\'])(
    'lets %s pass',
    async (url) => {
      expect((await run(pinOrigin(ISSUER), { url })).wasNext).toBe(true)
    },
  )

  it('lets a request about the server itself pass', async () => {
    const ctx = await run(pinOrigin(ISSUER), { url: '*', method: 'OPTIONS' })
    expect([ctx.wasNext, ctx.url, ctx.host]).toEqual([true, '*', 'sts.example.com'])
  })
})

describe('findClient without trusted proxies', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
    ['::ffff:a00:1', '::ffff:a00:1'],
    ['1::ffff:10.0.0.1', '1::ffff:10.0.0.1'],
  ])('makes of %s %s', async (remoteAddress, ip) => {
    const ctx = await run(findClient([]), { remoteAddress })
    expect([ctx.wasNext, ctx.ip, ctx.request.ip]).toEqual([true, ip, ip])
  })

  it('believes no header', async () => {
    const headers = { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1', 'x-real-ip': '192.0.2.1' }
    expect((await run(findClient([]), { remoteAddress: '10.0.0.1', headers })).ip).toBe('10.0.0.1')
  })

  it('knows no address of a client that has gone', async () => {
    expect((await run(findClient([]), {})).ip).toBe('')
  })
})

describe('findClient behind proxies in 10.0.0.0/24 and 2001:db8::/64', () => {
  const find = async (remoteAddress: string, forwardedFor: string) => {
    const headers = { 'x-forwarded-for': forwardedFor }
    const trusted = findClient(['10.0.0.0/24', '2001:db8::/64'])
    return (await run(trusted, { remoteAddress, headers })).ip
  }

  it.each([
    ['one hop', '10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['what the client wrote itself', '10.0.0.1', '198.51.100.7, 192.0.2.1', '192.0.2.1'],
    ['several proxies', '10.0.0.1', '198.51.100.7, 192.0.2.1, 10.0.0.3, 10.0.0.2', '192.0.2.1'],
    ['trusted addresses left of the client', '10.0.0.1', '10.0.0.9, 192.0.2.1', '192.0.2.1'],
    ['nothing but trusted ones: the leftmost', '10.0.0.1', '10.0.0.3,10.0.0.2', '10.0.0.3'],
    ['the last address of a block', '10.0.0.255', '192.0.2.1', '192.0.2.1'],
    ['one after the last', '10.0.1.0', '192.0.2.1', '10.0.1.0'],
    ['one before the first', '9.255.255.255', '192.0.2.1', '9.255.255.255'],
    ['a stranger', '192.0.2.9', '192.0.2.1', '192.0.2.9'],
    ['a hop one after the last', '10.0.0.1', '192.0.2.1, 10.0.1.0', '10.0.1.0'],
    ['a proxy over IPv6', '2001:db8::1', '2001:db8:1::1, 2001:db8::2', '2001:db8:1::1'],
    ['a proxy in another form', '2001:DB8:0:0::1', '192.0.2.1', '192.0.2.1'],
    ['a mapped proxy', '::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['a mapped client', '10.0.0.1', '::ffff:192.0.2.1', '192.0.2.1'],
    ['a mapped proxy among the hops', '10.0.0.1', '192.0.2.1, ::ffff:10.0.0.2', '192.0.2.1'],
    ['a mapped proxy in hexadecimal', '10.0.0.1', '192.0.2.1, ::ffff:a00:2', '192.0.2.1'],
    ['a port', '10.0.0.1', '192.0.2.1:4711', '192.0.2.1'],
    ['ports of proxies', '10.0.0.1', '192.0.2.1, 10.0.0.2:80', '192.0.2.1'],
    ['brackets and a port', '10.0.0.1', '[2001:db8:1::1]:4711', '2001:db8:1::1'],
    ['brackets', '10.0.0.1', '[2001:db8:1::1]', '2001:db8:1::1'],
    ['a zone', '10.0.0.1', 'fe80::1%eth0', 'fe80::1'],
    ['blanks and tabs', '10.0.0.1', ' \t192.0.2.1\t ', '192.0.2.1'],
    ['an empty header', '10.0.0.1', '', '10.0.0.1'],
    ['an empty entry', '10.0.0.1', '192.0.2.1, ', '10.0.0.1'],
    ['a malformed entry', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['a malformed entry after a good one', '10.0.0.1', '192.0.2.1, unknown, 10.0.0.2', '10.0.0.2'],
    ['an entry never reached', '10.0.0.1', 'unknown, 192.0.2.1', '192.0.2.1'],
  ])('takes with %s the right one', async (_, remoteAddress, forwardedFor, ip) => {
    expect(await find(remoteAddress, forwardedFor)).toBe(ip)
  })

  it.each([
    '_hidden',
    'for=192.0.2.1',
    '"192.0.2.1"',
    '192.0.2.256',
    '192.0.2',
    '192.0.2.01',
    '3221225985',
    '192.0.2.1:',
    '192.0.2.1:x',
    '192.0.2.1:123456',
    '192.0.2.1:1:2',
    '192.0.2.1/32',
    '192.0.2.1%eth0',
    '192.0.2.1 192.0.2.2',
    '[192.0.2.1]',
    '[192.0.2.1]:80',
    '[2001:db8:1::1',
    '2001:db8:1::1]',
    '[2001:db8:1::1]80',
    '[2001:db8:1::1]:',
    '[]',
    '2001:db8:1::g',
    "'; drop table users --",
  ])('takes %j for no address', async (forwardedFor) => {
    expect(await find('10.0.0.1', forwardedFor)).toBe('10.0.0.1')
  })

  it('believes no other header', async () => {
    const headers = { forwarded: 'for=192.0.2.1', 'x-real-ip': '192.0.2.1', 'x-client-ip': '192.0.2.1' }
    const ctx = await run(findClient(['10.0.0.0/24']), { remoteAddress: '10.0.0.1', headers })
    expect(ctx.ip).toBe('10.0.0.1')
  })
})
