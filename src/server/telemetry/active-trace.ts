// The trace of the request that the running code belongs to. One store for the process: it is about what calls what.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { Span } from '@opentelemetry/api'

/** What one request has told of itself so far. */
export interface RequestTrace {
  readonly root: Span
  /** The step under way that ends when the next one begins. */
  step: Span | null
}

export interface ActiveTrace {
  readonly request: RequestTrace
  /** Whose child the next span is. */
  readonly span: Span
}

export const activeTrace = new AsyncLocalStorage<ActiveTrace>()

/** Id of the trace this code runs in, as logs and trace stores write it. */
export const currentTraceId = (): string | undefined => activeTrace.getStore()?.span.spanContext().traceId
