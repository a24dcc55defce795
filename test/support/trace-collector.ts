// An OpenTelemetry collector, as far as it takes traces over OTLP/HTTP: what it was sent, span by span.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CollectedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  /** 2 is a server's (opentelemetry.proto.trace.v1). */
  readonly kind: number
  readonly startNs: bigint
  readonly endNs: bigint
  readonly attributes: Readonly<Record<string, string | number>>
  /** 2 is an error. */
  readonly status: number
}

export interface TraceCollector {
  readonly url: string
  readonly spans: () => CollectedSpan[]
  /** Attributes of the resource of the last export. */
  readonly resource: () => Readonly<Record<string, string | number>>
  /** All bytes it was sent, head and body. */
  readonly received: () => string
  /** Answers with this from now on; null: not at all. */
  readonly answerWith: (status: number | null) => void
  readonly close: () => void
}

interface Value {
  readonly stringValue?: string
  readonly intValue?: number | string
}
type Attributes = readonly { readonly key: string; readonly value: Value }[]
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes }
    readonly scopeSpans: readonly { readonly spans: readonly Record<string, unknown>[] }[]
  }[]
}

const toRecord = (attributes: Attributes): Record<string, string | number> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue ?? Number.NaN)]),
  )

const toSpan = (span: Record<string, unknown>): CollectedSpan => ({
  traceId: String(span['traceId']),
  spanId: String(span['spanId']),
  parentSpanId: span['parentSpanId'] === undefined ? undefined : String(span['parentSpanId']),
  name: String(span['name']),
  kind: Number(span['kind']),
  startNs: BigInt(String(span['startTimeUnixNano'])),
  endNs: BigInt(String(span['endTimeUnixNano'])),
  attributes: toRecord((span['attributes'] ?? []) as Attributes),
  status: Number((span['status'] as { code?: number } | undefined)?.code ?? 0),
})

/** Listens on a free port. */
export async function startTraceCollector(): Promise<TraceCollector> {
  const exports: Export[] = []
  let received = ''
  let status: number | null = 200
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    received += `${request.method} ${request.url}\n${request.rawHeaders.join('\n')}\n${body}\n`
    if (status === null) return
    if (status === 200 && request.url === '/v1/traces') exports.push(JSON.parse(body) as Export)
    response.writeHead(status, { 'Content-Type': 'application/json' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const all = () => exports.flatMap(({ resourceSpans }) => resourceSpans)
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    spans: () =>
      all()
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans.map(toSpan)),
    resource: () => toRecord(all().at(-1)?.resource.attributes ?? []),
    received: () => received,
    answerWith: (next) => {
      status = next
    },
    close: () => {
      http.close()
      http.closeAllConnections()
    },
  }
}
