import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../../../src/protocol/urn.ts'
import { type Acme, startAcme } from '../../support/acme.ts'
import { requestExchange } from '../../support/requests.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const address = (): { port: number; host: string } => {
  const { port, hostname } = new URL(acme.url)
  return { port: Number(port), host: hostname }
}

/** Sends a whole exchange request and resets the connection at once. */
function sendAndReset(subjectToken: string): Promise<void> {
  const form = { grant_type: TOKEN_EXCHANGE_GRANT, client_id: 'patmint-cli', subject_token_type: PAT_TYPE }
  const body = new URLSearchParams({ ...form, subject_token: subjectToken }).toString()
  return new Promise((resolve) => {
    const socket = connect(address())
    const head = `POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n`
    socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, () => socket.resetAndDestroy())
    socket.on('error', () => {}).on('close', () => resolve())
  })
}

async function sendRaw(head: string): Promise<string> {
  const socket = connect(address())
  socket.write(`${head}\r\nHost: x\r\nConnection: close\r\n\r\n`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

describe('a client that resets its connection', () => {
  it('spoils nobody else’s exchange, and is recorded', async () => {
    const rude = await acme.issue('jane@acme.test', { name: 'rude' })
    for (let round = 0; round < 5; round++) {
      const resets = Array.from({ length: 20 }, () => sendAndReset(rude))
      const good = Array.from({ length: 10 }, () =>
        requestExchange(acme.url, { subject_token: acme.janePat }),
      )
      expect((await Promise.all(good)).map(({ status }) => status)).toEqual(Array(10).fill(200))
      await Promise.all(resets)
    }
    const { count } = await acme.db
      .selectFrom('audit_events')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('credential_id', '=', rude.slice(4, 20))
      .where('type', '=', 'exchange.granted')
      .executeTakeFirstOrThrow()
    expect(count).toBeGreaterThan(0)
  })
})

describe('a request target that is none', () => {
  it.each(['http://[x/?token=SECRET', 'http://evil.example:99999/p', 'ftp://evil.example/p', '*'])(
    '%s is answered by a problem document',
    async (target) => {
      const answer = await sendRaw(`GET ${target.replace('SECRET', acme.janePat)} HTTP/1.1`)
      expect(answer).toMatch(/^HTTP\/1\.1 40[04] /)
      expect(answer).toMatch(/"code":"(invalid_request|not_found)"/)
      expect(answer).not.toContain('evil')
    },
  )
})
