// The URI of a request as `htu` names it (RFC 9449 section 4.3, check 9), so that two spellings of one URI compare equal:
// without query and fragment, normalized by syntax and scheme (RFC 3986 sections 6.2.2 and 6.2.3).

/** What the URL parser would repair (blanks, backslashes, a slash too many, letters beyond ASCII) is no URI (RFC 3986 section 3). */
const HTTP_URI =
  /^https?:\/\/(?:[\w.~!$&'()*+,;=:@-]+|\[[\da-f:.]+\](?::\d*)?)(?:\/(?:[\w.~!$&'()*+,;=:@/-]|%[\dA-F]{2})*)?$/i
/** Of a request, query and fragment are as clients send them, so that they may hold more than those of a URI. */
const PARTS = /^([^?#]*)(?:[?#][!-[\]-~]*)?$/
const UNRESERVED = /^[\w.~-]$/

/** The normal form of an absolute http(s) URI; undefined for any other text. */
export function normalizeRequestUri(text: string): string | undefined {
  const [, compared = ''] = PARTS.exec(text) ?? []
  const uri = compared.replace(/%[0-9a-f]{2}/gi, normalizeEscape)
  if (!HTTP_URI.test(uri)) return undefined
  const url = URL.parse(uri)
  return url && url.username + url.password === '' ? url.origin + url.pathname : undefined
}

/** `%41` is `A`, and `%2f` is not `/` but `%2F`. */
function normalizeEscape(text: string): string {
  const character = String.fromCharCode(Number.parseInt(text.slice(1), 16))
  return UNRESERVED.test(character) ? character : text.toUpperCase()
}
