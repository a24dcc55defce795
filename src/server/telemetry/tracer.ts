// Spans of a request and of its steps. Functions are wrapped where they are handed out, and those of a request that is
// not sampled run as if they were not.

import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type Tracer as SpanMaker,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { parseTraceParent } from '@opentelemetry/core'
import { type ActiveTrace, activeTrace, type RequestTrace } from './active-trace.ts'
import { type AnsweredRequest, nameRequest } from './request.ts'

export type { Attributes }

export interface TracedRequest extends AnsweredRequest {
  readonly protocol: string
  readonly state: Readonly<Record<string, unknown>>
  readonly get: (header: string) => string
}

export class Tracer {
  readonly #spans: SpanMaker

  constructor(spans: SpanMaker) {
    this.#spans = spans
  }

  /**
   * The span of a request, as middleware. Of what its caller says only `traceparent` is taken (W3C Trace Context): whose
   * child it is, and whether it is sampled.
   */
  readonly middleware = async (ctx: TracedRequest, next: () => Promise<unknown>): Promise<void> => {
    const parent = parseTraceParent(ctx.get('traceparent'))
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true }) : ROOT_CONTEXT
    const root = this.#spans.startSpan(ctx.method, { kind: SpanKind.SERVER }, context)
    const request: RequestTrace = { root, step: null }
    try {
      await activeTrace.run({ request, span: root }, next)
    } finally {
      request.step?.end()
      if (root.isRecording()) describeRequest(root, ctx)
      root.end()
    }
  }

  /** Ends the step under way, and begins one that lasts until the next begins or the request ends. */
  enterStep(name: string): void {
    const active = recording()
    if (!active) return
    this.leaveStep()
    active.request.step = this.#startChild(name, active.request.root)
  }

  /** Ends the step under way. */
  leaveStep(): void {
    const request = recording()?.request
    request?.step?.end()
    if (request) request.step = null
  }

  /** Says more of the request. */
  describe(attributes: Attributes): void {
    recording()?.request.root.setAttributes(attributes)
  }

  /** Runs `work` as a step of its own. `describe` says more of what it gave; of what it throws, only the kind is told. */
  async inSpan<T>(name: string, work: () => Promise<T>, describe?: (result: T) => Attributes): Promise<T> {
    const active = recording()
    if (!active) return work()
    const span = this.#startChild(name, active.span)
    try {
      const result = await activeTrace.run({ request: active.request, span }, work)
      if (describe) span.setAttributes(describe(result))
      return result
    } catch (error) {
      // Its message is not told: what Postgres says can quote a row.
      span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', kindOf(error))
      throw error
    } finally {
      span.end()
    }
  }

  #startChild(name: string, parent: Span): Span {
    return this.#spans.startSpan(name, {}, trace.setSpan(ROOT_CONTEXT, parent))
  }
}

function recording(): ActiveTrace | undefined {
  const active = activeTrace.getStore()
  return active?.request.root.isRecording() ? active : undefined
}

const kindOf = (error: unknown): string => {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return String(code ?? name ?? typeof error)
}

/** Semantic conventions for HTTP servers. `url.path` is the template: the path itself may hold a credential. */
function describeRequest(span: Span, ctx: TracedRequest): void {
  const { route, method } = nameRequest(ctx)
  span.updateName(`${method} ${route}`)
  span.setAttributes({
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': ctx.status,
    'url.path': route,
    'url.scheme': ctx.protocol,
    'patmint.request_id': String(ctx.state['requestId']),
  })
  if (ctx.status >= 500)
    span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', String(ctx.status))
}
