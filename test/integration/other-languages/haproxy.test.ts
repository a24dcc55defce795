// The HAProxy of docs/verify-other-languages.md and the job that writes its keys, run as they stand but for addresses,
// folders and the reload.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Acme, API, REPORTS, startAcme } from '../../support/acme.ts'
import { describeUnlessMissing } from '../../support/describe-unless-missing.ts'
import { readBlocks, runCommand } from '../../support/document.ts'
import { createProofKey } from '../../support/dpop.ts'
import { type IssuerFront, startIssuerFront } from '../../support/issuer-front.ts'
import { isInstalled, type RunningProxy, runProxy } from '../../support/proxy-process.ts'
import { hasPyJwt, PYJWT_PACKAGES, PYTHON } from '../../support/pyjwt.ts'
import { callApi, obtainToken } from '../../support/requests.ts'
import { newDataDir } from '../../support/server-process.ts'

const DOCUMENT = 'docs/verify-other-languages.md'

const missing = [...(hasPyJwt() ? [] : PYJWT_PACKAGES), ...(isInstalled('haproxy') ? [] : ['haproxy'])]

describeUnlessMissing('the HAProxy of the documentation', missing, () => {
  let front: IssuerFront
  let acme: Acme
  let service: Server
  let haproxy: RunningProxy
  let folder: string

  /** The text with what is here in the place of what the document says. */
  const place = (text = '', address = ''): string =>
    text
      .replaceAll('https://sts.example.com', front.url)
      .replaceAll('/etc/haproxy/patmint', folder)
      .replace('bind :8080', `bind ${address}`)
      .replace('127.0.0.1:3000', `127.0.0.1:${(service.address() as AddressInfo)?.port}`)
      .replace('["systemctl", "reload", "haproxy"]', '["echo", "reload"]')

  const renewKeys = (): Promise<string> =>
    runCommand(PYTHON, ['-c', place(readBlocks(DOCUMENT, 'py')[0])], {})

  beforeAll(async () => {
    folder = `${newDataDir()}/keys`
    mkdirSync(folder)
    front = await startIssuerFront()
    acme = await startAcme({ PATMINT_ISSUER: front.url })
    front.forwardTo(acme.url)
    service = createServer(({ headers }, response) => response.end(String(headers['x-subject'])))
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    await renewKeys()
    haproxy = await runProxy('haproxy', folder, (address) => {
      writeFileSync(`${folder}.cfg`, place(readBlocks(DOCUMENT, 'haproxy')[0], address))
      return ['-db', '-f', `${folder}.cfg`]
    })
  })
  afterAll(async () => {
    await haproxy?.stop()
    service.close()
    front.stop()
    await acme.stop()
  })

  const exchange = (pat: string, form = {}, headers: Record<string, string> = {}): Promise<string> =>
    obtainToken(acme.url, { subject_token: pat, audience: API, ...form }, headers)

  const ask = async (token: string): Promise<readonly [number, string, string | null]> => {
    const answer = await fetch(haproxy.url, {
      headers: { Authorization: `Bearer ${token}`, 'X-Subject': 'somebody' },
    })
    return [answer.status, await answer.text(), answer.headers.get('www-authenticate')]
  }

  async function exchangeAt(instant: Date): Promise<string> {
    acme.setClock(() => instant)
    try {
      return await exchange(await acme.issue('jane@acme.test', { name: `at ${instant.toISOString()}` }))
    } finally {
      acme.setClock(() => new Date())
    }
  }

  const alterSignature = (token: string): string =>
    token.replace(/[^.]{4}$/, (end) => (end === 'AAAA' ? 'BBBB' : 'AAAA'))

  const bind = async (): Promise<string> => {
    const key = await createProofKey()
    return exchange(acme.janePat, {}, { DPoP: await key.prove({ htu: `${front.url}/oauth2/token` }) })
  }

  it('passes a good token on, and tells the service whose it is', async () => {
    const token = await exchange(acme.janePat, { scope: 'models:read' })
    const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      sub: string
    }
    expect(await ask(token)).toEqual([200, sub, null])
  })

  it.each([
    ['for another audience', () => exchange(acme.adaPat, { audience: `${front.url}/api` })],
    ['signed as another audience has it', () => exchange(acme.samPat, { audience: REPORTS })],
    ['that has expired', () => exchangeAt(new Date(Date.now() - 400_000))],
    ['bound to a key', bind],
    ['with another signature', async () => alterSignature(await exchange(acme.janePat))],
    ['that is a status list', async () => (await fetch(`${front.url}/oauth2/status-lists/0`)).text()],
    ['that is none', async () => 'token'],
  ])('refuses a token %s', async (_, make) => {
    expect(await ask(await make())).toEqual([401, '', 'Bearer error="invalid_token"'])
  })

  it('tells a token without the scope what it takes', async () => {
    const token = await exchange(acme.janePat, { scope: 'models/m1:read' })
    expect(await ask(token)).toEqual([403, '', 'Bearer error="insufficient_scope", scope="models:read"'])
  })

  it('has its keys renewed, and is told, when there is another one', async () => {
    expect(await renewKeys()).toBe('')
    const turned = await callApi(acme.url, acme.adminToken, 'POST', '/signing-keys/rotate')
    expect(turned.status).toBeLessThan(300)
    expect(await renewKeys()).toBe('reload\n')
    expect(readdirSync(folder).sort()).toEqual(['1.pem', '2.pem', '3.pem'])
  })
})
