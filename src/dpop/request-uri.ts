// The URI of a request as `htu` names it (RFC 9449 section 4.3, check 9), so that two spellings of one URI compare equal:
// without query and fragment, normalized by syntax and scheme (RFC 3986 sections 6.2.2 and 6.2.3).

const HTTP_URI = /^https?:\/\/[^\s\\]+$/i
const UNRESERVED = /^[\w.~-]$/

/** The normal form of an absolute http(s) URI; undefined for any other text. */
export function normalizeRequestUri(text: string): string | undefined {
  // What the URL parser would repair (blanks, backslashes) is no URI.
  if (!HTTP_URI.test(text)) return undefined
  const url = URL.parse(text.replace(/%[0-9a-f]{2}/gi, normalizeEscape))
  return url && url.username + url.password === '' ? url.origin + url.pathname : undefined
}

/** `%41` is `A`, and `%2f` is not `/` but `%2F`. */
function normalizeEscape(text: string): string {
  const character = String.fromCharCode(Number.parseInt(text.slice(1), 16))
  return UNRESERVED.test(character) ? character : text.toUpperCase()
}
