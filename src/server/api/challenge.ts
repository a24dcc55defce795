// The challenges of the management API (RFC 6750 section 3, RFC 9449 section 7.1), which say where its metadata stands
// (RFC 9728 section 5.1).

import type { Context } from 'koa'

export interface Challenge {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly parameters?: Readonly<Record<string, string>>
}

/** Lets challenges of this request name the metadata of the API. */
export function nameMetadata(ctx: Context, resourceMetadata: string): void {
  ctx.state['resourceMetadata'] = resourceMetadata
}

export function challenge(ctx: Context, { scheme, parameters = {} }: Challenge): void {
  const named = { ...parameters, resource_metadata: String(ctx.state['resourceMetadata']) }
  const quoted = Object.entries(named).map(([name, value]) => `${name}="${value}"`)
  ctx.set('WWW-Authenticate', `${scheme} ${quoted.join(', ')}`)
}
