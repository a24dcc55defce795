// Requests over connections that stay open, written byte for byte as told: neither paths nor bodies are mended.

import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../../src/protocol/urn.ts'
import { API_PREFIX, findContractProblem } from './api-contract.ts'
import type { Answer } from './requests.ts'

export interface HeldConnections {
  /** A call of the management API; its answer is held against the OpenAPI document. */
  readonly call: (token: string, method: string, path: string, body?: unknown) => Promise<Answer>
  /** The same, with the text of the body. */
  readonly callWithText: (token: string, method: string, path: string, text?: string) => Promise<Answer>
  /** A token exchange by the public CLI client. */
  readonly exchange: (pat: string, audience: string) => Promise<Answer>
  readonly close: () => void
}

type Send = (method: string, path: string, headers: Record<string, string>, body?: string) => Promise<Answer>

/** Opens up to `count` connections to the server, as they are needed, and keeps them. */
export function holdConnections(serverUrl: string, count: number): HeldConnections {
  const agent = new Agent({ keepAlive: true, maxSockets: count })
  const { hostname, port } = new URL(serverUrl)

  const send: Send = (method, path, headers, body) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const length: Record<string, string> =
      body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
    const outgoing = request({ hostname, port, path, method, agent, headers: { ...headers, ...length } })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      text(response).then((content) => {
        const headers = new Headers()
        for (const [name, value] of Object.entries(response.headers)) headers.set(name, String(value))
        const json = content ? (JSON.parse(content) as Record<string, unknown>) : {}
        resolve({ status: response.statusCode ?? 0, headers, text: content, json })
      }, reject)
    })
    outgoing.end(body)
    return promise
  }

  const callWithText = async (token: string, method: string, path: string, body?: string) => {
    const type: Record<string, string> = body === undefined ? {} : { 'Content-Type': 'application/json' }
    const answer = await send(method, API_PREFIX + path, { Authorization: `Bearer ${token}`, ...type }, body)
    const problem = findContractProblem(method, path.split('?')[0] ?? path, answer)
    if (problem !== null) throw new Error(`${method} ${path}: ${problem}`)
    return answer
  }

  return {
    callWithText,
    call: (token, method, path, body) =>
      callWithText(token, method, path, body === undefined ? undefined : JSON.stringify(body)),
    exchange: (pat, audience) => {
      const form = new URLSearchParams({
        grant_type: TOKEN_EXCHANGE_GRANT,
        client_id: 'patmint-cli',
        subject_token_type: PAT_TYPE,
        subject_token: pat,
        audience,
      })
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
      return send('POST', '/oauth2/token', headers, form.toString())
    },
    close: () => agent.destroy(),
  }
}
