// Wrappers that measure or trace what they wrap. Each gives the function back as it is when that is off; what tracing
// needs is not even loaded then.

import type { Meter } from './meter.ts'
import type { Observe } from './metric-set.ts'
import { type AnsweredRequest, nameRequest } from './request.ts'
import type { Attributes, Tracer } from './tracer.ts'

type Next = () => Promise<unknown>
/** A Koa middleware, as far as this folder knows of Koa. */
type Middleware<Context> = (ctx: Context, next: Next) => Promise<unknown>

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1000

/** Times every call, also one that fails. */
export function timed<Arguments extends readonly unknown[], Result>(
  observe: Observe | undefined,
  run: (...args: Arguments) => Promise<Result>,
): (...args: Arguments) => Promise<Result> {
  if (!observe) return run
  return async (...args) => {
    const startedAt = performance.now()
    try {
      return await run(...args)
    } finally {
      observe(secondsSince(startedAt))
    }
  }
}

/** `run` as a span of its own; `run` itself when nothing is traced. */
export function traced<Arguments extends readonly unknown[], Result>(
  tracer: Tracer | null,
  name: string,
  run: (...args: Arguments) => Promise<Result>,
  describe?: (result: Result) => Attributes,
): (...args: Arguments) => Promise<Result> {
  return tracer ? (...args) => tracer.inSpan(name, () => run(...args), describe) : run
}

/** Measures every request. Stands outside of the error boundary, so that the status is the one that is sent. */
export function measureRequests({ requests }: Pick<Meter, 'requests'>): Middleware<AnsweredRequest> {
  return async (ctx, next) => {
    const startedAt = performance.now()
    requests.begin()
    try {
      await next()
    } finally {
      requests.end(nameRequest(ctx), ctx.status, secondsSince(startedAt))
    }
  }
}

/** Measures the token endpoint by the outcome its status tells. */
export function measureExchanges<Context extends { readonly status: number }>(
  meter: Pick<Meter, 'exchanges'> | null,
  answer: Middleware<Context>,
): Middleware<Context> {
  if (!meter) return answer
  const { granted, refused, failed } = meter.exchanges
  return async (ctx, next) => {
    const startedAt = performance.now()
    let observe = failed
    try {
      await answer(ctx, next)
      if (ctx.status < 500) observe = ctx.status < 400 ? granted : refused
    } finally {
      observe(secondsSince(startedAt))
    }
  }
}
