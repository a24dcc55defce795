// Faults below the error boundary: of the listener, and of the answering itself. One server inside the test process.

import { type Channel, channel } from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/server/config/config.ts'
import { createLogger } from '../../src/server/http/log.ts'
import { serve } from '../../src/server/serve.ts'
import { newDataDir, newSecretKey } from '../support/server-process.ts'
import { createTestDatabase } from '../support/test-database.ts'

interface LogLine {
  readonly level: string
  readonly msg: string
  readonly url?: string
  readonly err?: { readonly message: string; readonly code?: string }
}

interface Begun {
  readonly server: Server
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const requestBegins = channel('http.server.request.start') as Channel
const lines: LogLine[] = []
const listening = Promise.withResolvers<string>()
const stopped = Promise.withResolvers<string>()
let url: string
let serving: Promise<void>

const destination = new Writable({
  write(chunk, _encoding, done) {
    const line = JSON.parse(String(chunk)) as LogLine
    lines.push(line)
    if (line.msg === 'listening') listening.resolve(line.url ?? '')
    done()
  },
})

beforeAll(async () => {
  const env = {
    PATMINT_CONFIG: '/dev/null',
    PATMINT_PORT: '0',
    PATMINT_DATABASE_URL: await createTestDatabase(),
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_DATA_DIR: newDataDir(),
  }
  const config = loadConfig(env)
  if (!config.ok) throw new Error(config.error.join('\n'))
  const log = createLogger('debug', destination)
  serving = serve({ config: config.value, env, log, clock: () => new Date() }, stopped.promise)
  url = await Promise.race([listening.promise, serving.then(() => '')])
})
afterAll(async () => {
  stopped.resolve('SIGTERM')
  await serving
})

/** Makes one request, and lets `meddle` have what Node made of it before the server does. */
async function requestHealth(meddle: (begun: Begun) => void): Promise<number> {
  const listener = (message: unknown): void => {
    requestBegins.unsubscribe(listener)
    meddle(message as Begun)
  }
  requestBegins.subscribe(listener)
  return (await fetch(`${url}/healthz`)).status
}

const levelsOf = (message: string): string[] =>
  lines.filter(({ err }) => err?.message === message).map(({ level }) => level)

describe('a listener that fails to accept connections', () => {
  it('is reported every time, and goes on', async () => {
    const status = await requestHealth(({ server }) => {
      for (const message of ['accept 1', 'accept 2']) {
        server.emit('error', Object.assign(new Error(message), { code: 'EMFILE' }))
      }
    })
    expect(status).toBe(200)
    expect([levelsOf('accept 1'), levelsOf('accept 2')]).toEqual([['error'], ['error']])
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })
})

describe('a fault after the error boundary', () => {
  it.each([
    ['an unknown fault', undefined, 'error'],
    ['a wrong argument', 'ERR_INVALID_ARG_TYPE', 'error'],
    ['a reset connection', 'ECONNRESET', 'debug'],
    ['a broken pipe', 'EPIPE', 'debug'],
    ['a malformed body', 'HPE_INVALID_CHUNK_SIZE', 'debug'],
  ])('%s is logged at its level', async (message, code, level) => {
    await requestHealth(({ response }) => {
      const end = response.end
      response.end = () => {
        response.end = end
        throw Object.assign(new Error(message), code ? { code } : {})
      }
    })
    expect(levelsOf(message)).toEqual([level])
  })
})
