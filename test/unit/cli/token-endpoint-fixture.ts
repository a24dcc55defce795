// A fake token endpoint for the tests of the CLI: answers what it is told to, and remembers what it was asked.

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { generateCredential } from '../../../src/protocol/credential.ts'

/** A well-formed credential that exists nowhere else, to be searched for in everything the CLI prints. */
export const CANARY = generateCredential('personal', (length) => new Uint8Array(length).fill(0xc5))
export const PAT = CANARY.reveal()

export const JWT = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl'
export const RESPONSE = {
  access_token: JWT,
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  token_type: 'Bearer',
  expires_in: 300,
  scope: 'models:read',
}

export interface SeenRequest {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface TokenEndpoint extends AsyncDisposable {
  readonly issuer: string
  readonly seen: readonly SeenRequest[]
}

/** Serves `answer` on a free loopback port until the scope that holds it ends. */
export async function serveTokenEndpoint(answer: (response: ServerResponse) => void): Promise<TokenEndpoint> {
  const seen: SeenRequest[] = []
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request
    seen.push({ method, url, headers, body: await text(request) })
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    issuer: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** An answer with a JSON body. */
export const answerJson =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }

/** Origin of a loopback port nothing listens on. */
export async function findClosedOrigin(): Promise<string> {
  const endpoint = await serveTokenEndpoint(() => {})
  await endpoint[Symbol.asyncDispose]()
  return endpoint.issuer
}
