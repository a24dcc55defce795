// The RED set: rate, errors and duration of requests, by route and method. As many series as routes were asked for; the
// paths that have none share one.

import type { Count, MetricSet, Observe } from './metric-set.ts'
import type { RequestName } from './request.ts'

export interface RequestMeter {
  readonly begin: () => void
  readonly end: (request: RequestName, status: number, seconds: number) => void
}

const STATUS_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const

interface RouteMeter {
  readonly observe: Observe
  /** By the first digit of the status. */
  readonly count: readonly (Count | undefined)[]
}

/** Series appear with the first request of a route and method, and are resolved once. */
export function createRequestMeter(set: MetricSet): RequestMeter {
  let inFlight = 0
  set.gauge('patmint_http_requests_in_flight', 'Requests that wait for their answer', () => inFlight)
  const findRoute = createRouteMeters(set)
  return {
    begin: () => {
      inFlight += 1
    },
    end: ({ route, method }, status, seconds) => {
      inFlight -= 1
      const { observe, count } = findRoute(route, method)
      observe(seconds)
      count[Math.floor(status / 100)]?.()
    },
  }
}

function createRouteMeters(set: MetricSet): (route: string, method: string) => RouteMeter {
  const countOf = set.counterOf(
    'patmint_http_requests_total',
    'Requests by route, method and class of status',
    ['route', 'method', 'status'],
  )
  const durationOf = set.histogramOf(
    'patmint_http_request_duration_seconds',
    'From the head of a request to its answer being ready, by route and method',
    ['route', 'method'],
  )
  const routes = new Map<string, Map<string, RouteMeter>>()
  return (route, method) => {
    const methods = routes.get(route) ?? new Map<string, RouteMeter>()
    routes.set(route, methods)
    const known = methods.get(method)
    if (known) return known
    const count = [undefined, undefined, ...STATUS_CLASSES.map((status) => countOf(route, method, status))]
    const made = { observe: durationOf(route, method), count }
    methods.set(method, made)
    return made
  }
}
