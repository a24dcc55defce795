// A request as Node.js has it, for the middleware of frameworks that stand on node:http. Header fields are read as they
// arrived: of two Authorization fields Node.js keeps the first in `headers` and drops the other, so that a proxy in
// front and the service behind could each look at another token.

import type { GuardedRequest } from './guard-request.ts'

/** What Koa, Express and Fastify all have of a request. */
export interface NodeRequest {
  readonly method: string
  readonly originalUrl: string
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[]
}

export const readNodeRequest = ({ method, originalUrl, rawHeaders }: NodeRequest): GuardedRequest => ({
  method,
  target: originalUrl,
  authorization: readHeader(rawHeaders, 'authorization'),
  dpop: readHeader(rawHeaders, 'dpop'),
})

/** One value for each time the header was sent. */
const readHeader = (rawHeaders: readonly string[], name: string): readonly string[] =>
  rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
