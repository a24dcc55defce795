// Callers who send what they send slowly, halfway or in bytes that mean nothing.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../../support/acme.ts'
import { API_PREFIX } from '../../support/api-contract.ts'
import { callApi } from '../../support/requests.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

async function open(): Promise<Socket> {
  const { port, hostname } = new URL(acme.url)
  const socket = connect({ port: Number(port), host: hostname })
  await once(socket, 'connect')
  return socket
}

const headOf = (token: string, path: string, length: number): string =>
  [
    `POST ${API_PREFIX}${path} HTTP/1.1`,
    'Host: x',
    'Connection: close',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${length}`,
    '\r\n',
  ].join('\r\n')

async function readStatus(socket: Socket): Promise<number> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return Number(text.split(' ')[1])
}

describe('a body that takes its time', () => {
  it('is judged by the rights its caller has when it is through', async () => {
    const pat = await acme.issue('ada@acme.test', { name: 'slow' })
    const body = JSON.stringify({ name: 'ghost', role: 'admin' })
    const socket = await open()
    socket.write(headOf(pat, '/organizations/acme/keys', body.length) + body.slice(0, 5))
    await sleep(200)
    const path = `/organizations/acme/tokens/${pat.slice(4, 20)}`
    expect((await callApi(acme.url, acme.adminToken, 'DELETE', path)).status).toBe(204)
    socket.write(body.slice(5))
    expect(await readStatus(socket)).toBe(401)
    const { json } = await callApi(acme.url, acme.adminToken, 'GET', '/organizations/acme/keys')
    expect(json['items']).toEqual([])
  })

  it('is no outage when it never comes', async () => {
    const socket = await open()
    socket.write(`${headOf(acme.adaPat, '/organizations/acme/keys', 100)}{"name":`)
    await sleep(100)
    socket.resetAndDestroy()
    await sleep(200)
    const log = readFileSync(acme.logPath, 'utf8')
    expect(log).not.toContain('"level":"error"')
  })
})

describe('a body', () => {
  it('in bytes that are no UTF-8 is refused, and not mended', async () => {
    const name = Buffer.from([0x22, 0x61, 0xff, 0x62, 0x22])
    const body = Buffer.concat([Buffer.from('{"role":"analyst","name":'), name, Buffer.from('}')])
    const socket = await open()
    socket.write(headOf(acme.adaPat, '/organizations/acme/keys', body.length))
    socket.write(body)
    expect(await readStatus(socket)).toBe(400)
  })

  it('that names a member twice is refused, and no rule is taken for none', async () => {
    const answer = await fetch(`${acme.url}/api/v1/organizations/acme/policy`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${acme.adaPat}`, 'Content-Type': 'application/json' },
      body: `{"max_lifetime_seconds": 60, "default_lifetime_seconds": null, "idle_timeout_seconds": null,
        "access_token_max_ttl_seconds": null, "max_active_tokens": 10, "applies_to": "all", "exempt_roles": [],
        "max_lifetime\u005fseconds": null}`,
    })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      {
        type: 'about:blank',
        title: 'The request is not valid',
        status: 400,
        code: 'invalid_request',
        detail: 'The body must name each member once',
      },
    ])
  })

  it.each([
    '9999-12-31T23:59:59-12:00',
    '9999-12-31T23:59:59Z',
    '0000-01-01T00:00:00+12:00',
    '2200-01-01T00:00:00Z',
  ])('with the instant %s is refused: it could not be shown again', async (instant) => {
    const key = { name: 'far', role: 'analyst', expires_at: instant }
    const made = await callApi(acme.url, acme.adaPat, 'POST', '/organizations/acme/keys', key)
    expect([made.status, made.json['code']]).toEqual([400, 'invalid_request'])
    const path = `/tokens/${acme.samPat.slice(4, 20)}/rotate`
    const rotated = await callApi(acme.url, acme.samPat, 'POST', path, { expires_at: instant })
    expect([rotated.status, rotated.json['code']]).toEqual([400, 'invalid_request'])
  })

  it('with an instant no year has is no reason to fail', async () => {
    const body = { created_before: '0000-01-01T00:00:00+12:00' }
    const answer = await callApi(acme.url, acme.adaPat, 'POST', '/organizations/acme/tokens/revoke', body)
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
  })
})

describe('a path', () => {
  it.each(['/API/v1/me', '/api/v1/ME', '/api/v1/me/', '/OPENAPI.json', '/oauth2/Revoke', '/healthz/'])(
    'is what it is, and %s is another one',
    async (path) => {
      const headers = { Authorization: `Bearer ${acme.adaPat}` }
      expect((await fetch(acme.url + path, { headers })).status).toBe(404)
    },
  )
})
