// Bodies and queries through zod: what passes is typed, what does not is a 400 that names each problem.

import { bodyParser } from '@koa/bodyparser'
import type { Context } from 'koa'
import type { z } from 'zod'
import { namesMembersOnce } from '../../protocol/json-object.ts'
import { Problem } from './problem.ts'

const JSON_LIMIT = '64kb'
const goOn = async (): Promise<void> => {}

/** Reads a JSON body of at most `limit`, 64 KiB unless told; anything but plain JSON is refused. */
export async function readJsonBody(ctx: Context, limit: string = JSON_LIMIT): Promise<void> {
  // A client that posts nothing still says how long it is.
  if (ctx.get('Content-Length') === '0') return
  // `is` is null without a body, however that is framed.
  const isEncoded = !/^(identity)?$/i.test(ctx.get('Content-Encoding'))
  if (ctx.is('json') === false || isEncoded) throw new Problem('unsupported_media_type')
  await bodyParser({ enableTypes: ['json'], jsonLimit: limit })(ctx, goOn)
  const { rawBody, body } = ctx.request
  // What is no UTF-8 has become U+FFFD by now, and would be kept as something nobody wrote.
  if (rawBody?.includes('\ufffd')) throw new Problem('invalid_request', 'The body must be UTF-8')
  // Whoever writes a rule and null for the same member means one of them, and nobody knows which.
  if (rawBody && !namesMembersOnce(rawBody, body))
    throw new Problem('invalid_request', 'The body must name each member once')
}

function check<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw toInvalidRequest(parsed.error.issues)
}

export interface MemberProblem {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** The 400 that names each of `found` by its place. */
export function toInvalidRequest(found: readonly MemberProblem[]): Problem {
  const problems = found.map(({ path, message }) => ({ path: path.join('.'), message }))
  const detail = problems.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')
  return new Problem('invalid_request', detail, { problems })
}

export const checkBody = <Schema extends z.ZodType>(ctx: Context, schema: Schema): z.output<Schema> =>
  check(schema, ctx.request.body ?? {})

export const checkQuery = <Schema extends z.ZodType>(ctx: Context, schema: Schema): z.output<Schema> =>
  check(schema, ctx.query)
