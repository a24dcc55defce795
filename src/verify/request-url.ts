// The URL of a request as its client sees it, which is what a DPoP proof is made for (RFC 9449 section 4.3, `htu`).
// The Host header is whatever the sender wrote: it is not looked at, unless the service itself answers by it.

/** Where a service is for its clients: the URL its paths are below, or the whole URL of one request. */
export type PublicUrl<Context> = string | ((context: Context) => string)

/** `target` is as in RFC 9112 section 3.2. Without a public URL it is empty, which no proof is for. */
export function formatRequestUrl<Context>(
  publicUrl: PublicUrl<Context> | undefined,
  target: string,
  context: Context,
): string {
  if (typeof publicUrl === 'function') return publicUrl(context)
  return publicUrl === undefined ? '' : publicUrl.replace(/\/$/, '') + pathOf(target)
}

/** Path and query. Joined as text: resolved as a reference, `//evil.example` would be another host. */
function pathOf(target: string): string {
  if (target.startsWith('/')) return target
  const url = URL.parse(target)
  return url ? url.pathname + url.search : ''
}
