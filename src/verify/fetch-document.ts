// One request to the issuer, bounded in time and size, redirects refused (RFC 8725 section 3.10). Remembers nothing.

import { readBoundedText } from './bounded-body.ts'
import { scheduleTimer } from './schedule.ts'

/** The part of `fetch` this library uses. */
export type VerifierFetch = (url: string, init: RequestInit) => Promise<Response>

/** What is fetched, and how much of it is read at most. */
export interface DocumentRequest {
  readonly url: string
  readonly accept: string
  readonly maxBytes: number
}

/** How it is fetched. */
export interface Transport {
  readonly fetch: VerifierFetch
  readonly timeoutMs: number
  /** Ends the request early. */
  readonly signal?: AbortSignal | undefined
}

export interface FetchedDocument {
  readonly text: string
  readonly headers: Headers
}

/** Fetches a document, and throws when the issuer does not answer 200 with one, whole and within the time. */
export function fetchDocument(
  request: DocumentRequest,
  { fetch, timeoutMs, signal: ending }: Transport,
): Promise<FetchedDocument> {
  const stopping = new AbortController()
  return new Promise((resolve, reject) => {
    const stop = (reason: unknown) => {
      cancelTimer()
      stopping.abort(reason)
      // A `fetch` that somebody brought may not honour the signal, and nobody is to wait for it all the same.
      reject(reason)
    }
    const tooLate = () => stop(new DOMException('The issuer did not answer in time', 'TimeoutError'))
    // Not `AbortSignal.timeout`, whose timer goes on after the answer and keeps Deno alive.
    const cancelTimer = scheduleTimer(tooLate, timeoutMs)
    ending?.addEventListener('abort', () => stop(ending.reason), { once: true })
    readAnswer(request, fetch, stopping.signal).finally(cancelTimer).then(resolve, reject)
  })
}

async function readAnswer(
  { url, accept, maxBytes }: DocumentRequest,
  fetch: VerifierFetch,
  signal: AbortSignal,
): Promise<FetchedDocument> {
  // Documents come from the one place they were configured to come from.
  const response = await fetch(url, { headers: { accept }, redirect: 'manual', signal })
  if (response.status !== 200 || response.redirected) {
    await response.body?.cancel()
    throw new Error(`${url} answered ${response.redirected ? 'after a redirect' : response.status}`)
  }
  return { text: await readBoundedText(response, maxBytes), headers: response.headers }
}
