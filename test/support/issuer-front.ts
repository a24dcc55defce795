// The address an issuer is known by, which is there before the server behind it is: what verifiers ask for is counted,
// and the issuer can be away.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface IssuerFront {
  readonly url: string
  /** From now on the server at this URL answers. */
  readonly forwardTo: (serverUrl: string) => void
  /** While it is away, every request is answered with 503. */
  readonly setAway: (away: boolean) => void
  /** How often a path was asked for so far, away or not. */
  readonly countRequests: (path: string) => number
  readonly stop: () => void
}

export async function startIssuerFront(): Promise<IssuerFront> {
  let [target, isAway] = ['', false]
  const asked = new Map<string, number>()
  const front = createServer(async ({ url = '/' }, response) => {
    asked.set(url, (asked.get(url) ?? 0) + 1)
    if (isAway) return response.writeHead(503).end()
    const answer = await fetch(target + url)
    const type = answer.headers.get('content-type') ?? ''
    return response.writeHead(answer.status, { 'content-type': type }).end(await answer.text())
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://localhost:${(front.address() as AddressInfo).port}`,
    forwardTo: (serverUrl) => {
      target = serverUrl
    },
    setAway: (away) => {
      isAway = away
    },
    countRequests: (path) => asked.get(path) ?? 0,
    stop: () => {
      front.close()
      front.closeAllConnections()
    },
  }
}
