// Serves /metrics on a listener of its own: whoever can reach the service need not be able to look into it.

import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Scrape } from './metric-set.ts'

export interface MetricsListener {
  readonly port: number
  readonly close: () => void
}

export interface MetricsListenerOptions {
  readonly host: string
  readonly port: number
  /** Of this process, or of all the workers of this one. */
  readonly render: () => Promise<Scrape>
  readonly onError: (error: unknown) => void
}

const PATH = /^\/metrics(?:\?|$)/
const REQUEST_MS = 10_000

/** Listens; rejects with the error of the system when it cannot. */
export async function listenForScrapes(options: MetricsListenerOptions): Promise<MetricsListener> {
  const { host, port, onError } = options
  const answer = createAnswer(options)
  const http = createServer({ requestTimeout: REQUEST_MS }, ({ method, url }, response) => {
    if (!PATH.test(url ?? '')) response.writeHead(404).end()
    else if (method !== 'GET') response.writeHead(405, { Allow: 'GET' }).end()
    else void answer(response)
  })
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, host, () => {
      http.off('error', reject).on('error', onError)
      resolve()
    })
  })
  return { port: (http.address() as AddressInfo).port, close: () => closeNow(http) }
}

function createAnswer({
  render,
  onError,
}: MetricsListenerOptions): (response: ServerResponse) => Promise<void> {
  let rendering: Promise<Scrape> | null = null
  // Scrapes that come together share one answer, so that a second Prometheus costs nothing.
  const renderOnce = (): Promise<Scrape> => {
    rendering ??= render().finally(() => {
      rendering = null
    })
    return rendering
  }
  return async (response) => {
    try {
      const { contentType, text } = await renderOnce()
      response.writeHead(200, { 'Content-Type': contentType }).end(text)
    } catch (error) {
      onError(error)
      response.writeHead(500).end()
    }
  }
}

function closeNow(http: Server): void {
  http.close()
  http.closeAllConnections()
}
