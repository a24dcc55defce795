// A request as telemetry sees it: by the template of its route and a method that is known, never by its path.

/** What a Koa context says once the request was answered. */
export interface AnsweredRequest {
  readonly method: string
  readonly status: number
  /** The template that matched, as the routers leave it. */
  readonly _matchedRoute?: unknown
}

export interface RequestName {
  readonly route: string
  readonly method: string
}

/** The one route of everything that has none. */
export const UNMATCHED = 'unmatched'
/** What OpenTelemetry calls a method nobody expects. */
export const OTHER_METHOD = '_OTHER'

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Templates as they are shown, by what the router calls them: as many as there are routes. */
const templates = new Map<string, string>()

/** `/api/v1/tokens/:id` as OpenAPI and OpenTelemetry write it. */
function toTemplate(route: string): string {
  const known = templates.get(route)
  if (known !== undefined) return known
  const template = route.replaceAll(/:(\w+)/g, '{$1}')
  templates.set(route, template)
  return template
}

export const nameRequest = ({ method, _matchedRoute: route }: AnsweredRequest): RequestName => ({
  route: typeof route === 'string' ? toTemplate(route) : UNMATCHED,
  method: METHODS.has(method) ? method : OTHER_METHOD,
})
