// The outermost middleware: one origin whatever the client claims, the client's address, a request id, a log line, and
// the error boundary.

import { isIP } from 'node:net'
import type { Middleware, ParameterizedContext } from 'koa'
import { isAddressAllowed } from '../../protocol/cidr.ts'
import { redactCredentials } from '../../protocol/credential.ts'
import { OverloadError } from '../../protocol/overload.ts'
import { uuidV7 } from '../../protocol/uuid.ts'
import type { Logger } from './log.ts'
import { Problem } from './problem.ts'

/** What stands for another path than it reads, to whoever resolves it: `/x/../`, also as `/x/%2E%2E/` or `/x\\..`. */
const OTHER_PATH = /\\|\/(\.|%2e){1,2}(\/|$)/i

/** A path that is just what it says. */
const PLAIN_PATH = /^(\/[\w-]+)+$/

/** Path and query of a request target (RFC 9112 section 3.2); `undefined` when it is not one. */
function toOriginForm(target: string): string | undefined {
  if (target === '*' || PLAIN_PATH.test(target)) return target
  // A proxy in front may have let the request pass for the path as it reads.
  if (OTHER_PATH.test(target.replace(/[?#].*$/s, ''))) return undefined
  // Parsed against a fixed origin, `//host/path` would name another host.
  const url = URL.parse(target.startsWith('/') ? `http://localhost${target}` : target)
  return url && /^https?:$/.test(url.protocol) ? url.pathname + url.search : undefined
}

/**
 * Makes every URL the request could be asked about the issuer's: neither the Host header, nor an absolute-form
 * request line, nor a proxy header has a say in what is printed or signed.
 */
export function pinOrigin(issuer: string): Middleware {
  const { host, protocol } = new URL(issuer)
  const scheme = { value: protocol.replace(':', '') }
  return (ctx, next) => {
    ctx.req.headers.host = host
    Object.defineProperty(ctx.request, 'protocol', scheme)
    const target = toOriginForm(ctx.originalUrl)
    ctx.req.url = target ?? '/'
    ctx.originalUrl = target ?? '/'
    ctx.request.originalUrl = target ?? '/'
    if (target === undefined) throw new Problem('invalid_request', 'The request target is malformed')
    return next()
  }
}

/** IPv4 clients on a dual-stack socket count as IPv4, and an IPv6 zone is nobody else's business. */
const normalizeAddress = (address: string): string =>
  address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')

/** An address as proxies write it in `X-Forwarded-For`, some with a port; `undefined` when it is not one. */
function readHop(text: string): string | undefined {
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? []
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? normalizeAddress(bracketed) : undefined
  const [, withoutPort = text] = /^([\d.]+):\d{1,5}$/.exec(text) ?? []
  return isIP(withoutPort) === 0 ? undefined : normalizeAddress(withoutPort)
}

/** The address before the trusted proxies: each of them vouches for the one to its left, and nobody for the rest. */
function walkBack(peer: string, forwardedFor: string, trustedProxies: readonly string[]): string {
  let client = peer
  for (const hop of forwardedFor.split(',').reverse()) {
    const before = isAddressAllowed(trustedProxies, client) ? readHop(hop.trim()) : undefined
    if (before === undefined) return client
    client = before
  }
  return client
}

/**
 * Finds the client's address: that of the connection, or what proxies in `trustedProxies` (CIDR blocks) say of it in
 * `X-Forwarded-For`. No other header has a say, `Forwarded` (RFC 7239) included: a proxy that sets one of the two lets
 * the other through as the client wrote it. The address of a client that has already gone is empty.
 */
export function findClient(trustedProxies: readonly string[]): Middleware {
  return (ctx, next) => {
    const peer = normalizeAddress(ctx.socket.remoteAddress ?? '')
    const forwardedFor = ctx.get('X-Forwarded-For')
    ctx.request.ip = forwardedFor === '' ? peer : walkBack(peer, forwardedFor, trustedProxies)
    return next()
  }
}

/** Gives the request an id, says how it ended, and turns what is thrown into a problem document. */
export function observe(log: Logger, isOutage: (error: unknown) => boolean): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now()
    const requestId = uuidV7(new Date())
    ctx.state['requestId'] = requestId
    ctx.set('X-Request-Id', requestId)
    ctx.set('X-Content-Type-Options', 'nosniff')
    try {
      await next()
      if (ctx.body === undefined && ctx.status === 404) throw new Problem('not_found')
      if (ctx.body === undefined && ctx.status >= 405) throw new Problem('method_not_allowed')
    } catch (error) {
      answerError(ctx, error, log, isOutage)
    }
    if (ctx.status === 503) ctx.set('Retry-After', '1')
    const durationMs = Math.round((performance.now() - startedAt) * 100) / 100
    if (!log.isLevelEnabled('debug')) return
    // The path without its query: a query may hold what someone pasted there by mistake.
    log.debug(
      { requestId, method: ctx.method, path: redactCredentials(ctx.path), status: ctx.status, durationMs },
      'request',
    )
  }
}

function answerError(
  ctx: ParameterizedContext,
  error: unknown,
  log: Logger,
  isOutage: (error: unknown) => boolean,
): void {
  const problem = toProblem(error, isOutage)
  // An overload is told once, where it arises, and not by every request that meets it.
  if (problem.status >= 500 && !(error instanceof OverloadError))
    log.error({ err: error, requestId: ctx.state['requestId'] }, 'request failed')
  ctx.status = problem.status
  ctx.body = problem.toDocument()
  ctx.type = 'application/problem+json'
  const { retry_after_seconds: retryAfterSeconds } = problem.extra
  if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds))
}

function toProblem(error: unknown, isOutage: (error: unknown) => boolean): Problem {
  if (error instanceof Problem) return error
  if (error instanceof OverloadError) return new Problem('temporarily_unavailable')
  // What a client did wrong first: one that goes away while it sends breaks a connection too.
  switch ((error as { status?: unknown } | null)?.status) {
    case 400:
      return new Problem('invalid_request')
    case 405:
      return new Problem('method_not_allowed')
    case 413:
      return new Problem('payload_too_large')
    case 415:
      return new Problem('unsupported_media_type')
    default:
      return new Problem(isOutage(error) ? 'temporarily_unavailable' : 'internal_error')
  }
}

const BROKEN_CONNECTION = /^(ECONNRESET|ECONNABORTED|EPIPE|ERR_STREAM_PREMATURE_CLOSE|HPE_.*)$/

/** What is left when the boundary has answered: sockets that broke meanwhile, and faults of the answering itself. */
export function reportLeftover(log: Logger, error: unknown): void {
  const isBrokenConnection = BROKEN_CONNECTION.test(String((error as { code?: unknown } | null)?.code))
  if (isBrokenConnection) log.debug({ err: error }, 'connection failed')
  else log.error({ err: error }, 'answering failed')
}
