// Which issuer URLs are safe to talk to, and where an issuer's endpoints are (RFC 8414 section 2). Does no I/O.

const ABSOLUTE_HTTP = /^https?:\/\/[^\s\\]+$/
/** Host names as `URL` normalizes them; only what cannot leave this machine. */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** What is wrong with `text` as an endpoint, as the rest of a sentence about it; or `undefined`. */
export function findEndpointProblem(text: string, allowInsecureHttp = false): string | undefined {
  if (!ABSOLUTE_HTTP.test(text) || !URL.canParse(text)) return 'must be an absolute http(s) URL'
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password'
  if (url.protocol === 'http:' && !allowInsecureHttp && !LOOPBACK_HOST.test(url.hostname)) {
    return 'must use https (plain http is for loopback hosts only)'
  }
  return undefined
}

/** As `findEndpointProblem`, for an issuer identifier, which has no query and no fragment besides. */
export function findIssuerProblem(text: string, allowInsecureHttp = false): string | undefined {
  const problem = findEndpointProblem(text, allowInsecureHttp)
  if (problem !== undefined) return problem
  return /[?#]/.test(text) ? 'must have no query and no fragment' : undefined
}

/** URL of an endpoint below the issuer, whose own path and trailing slash are kept and dropped respectively. */
export const formatEndpointUrl = (issuer: string, path: `/${string}`): string =>
  issuer.replace(/\/$/, '') + path
