// An operation of the management API as one value: what it takes, who may call it, what it answers. The schemas that
// stand here validate requests and responses, and make the OpenAPI document; there is no second description.

import { Readable } from 'node:stream'
import type { Context } from 'koa'
import { z } from 'zod'
import type { ApiScope } from '../directory/built-in.ts'
import { checkBody, checkQuery, readJsonBody } from '../http/guard.ts'
import { describeOrigin } from '../http/origin.ts'
import { Problem, type ProblemCode } from '../http/problem.ts'
import type { Origin } from '../ledger/change.ts'
import { type Caller, type Exempt, requireScope } from './caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { versionOf } from './version.ts'

export const API_PREFIX = '/api/v1'

/** A scope of the management API, any caller at all, or no authentication. */
export type Access = ApiScope | 'any_caller' | 'public'

export interface Call<A extends Access, Params, Query, Body> {
  readonly caller: A extends 'public' ? null : Caller
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly now: Date
  /** The version the client means to change; null when it names none. */
  readonly ifMatch: string | null
  readonly origin: Origin
  /** Whether nobody waits for the answer any more: long work may stop. */
  readonly isAbandoned: () => boolean
}

export interface Answer<Result extends z.ZodType> {
  readonly status: 200 | 201 | 204
  readonly description: string
  readonly schema: Result
  /** The members an update may change: the answer's entity tag is theirs. Absent: no tag. */
  readonly version?: (result: z.output<Result>) => unknown
}

export interface Description {
  /** Unique; names the operation in the OpenAPI document. */
  readonly id: string
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** With parameters in braces, below `/api/v1`. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** Codes beside those every operation of its kind may answer with. */
  readonly problems?: readonly ProblemCode[]
}

interface Definition<
  A extends Access,
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Result extends z.ZodType,
> extends Description {
  readonly access: A
  /** Who may without the scope that `access` names. */
  readonly exempt?: Exempt
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /** Largest body; 64 KiB unless told. */
  readonly bodyLimit?: string
  readonly answer: Answer<Result>
  /** Runs before the body is read, so that what it refuses by throwing costs little. */
  readonly admit?: (origin: Origin, dependencies: ApiDependencies) => Promise<void>
  readonly handle: (
    call: Call<A, z.output<Params>, z.output<Query>, z.output<Body>>,
    dependencies: ApiDependencies,
  ) => Promise<z.input<Result>>
  /** The same as CSV, as long as it may be, for whoever prefers that: its first row is there when the promise is. */
  readonly handleCsv?: (
    call: Call<A, z.output<Params>, z.output<Query>, z.output<Body>>,
    dependencies: ApiDependencies,
  ) => Promise<AsyncIterable<string>>
}

/** An operation whose own types nobody needs any more. */
export interface Operation extends Description {
  readonly access: Access
  readonly params: z.ZodObject | undefined
  readonly query: z.ZodObject | undefined
  readonly body: z.ZodType | undefined
  readonly bodyLimit: string | undefined
  readonly answer: Answer<z.ZodType>
  /** Whether it also answers in CSV. */
  readonly givesCsv: boolean
  /** Takes the request in, before anybody is identified: rights are those of when it was complete. */
  readonly receive: (ctx: Context, dependencies: ApiDependencies) => Promise<void>
  readonly perform: (ctx: Context, dependencies: ApiDependencies) => Promise<void>
}

type Nothing = z.ZodObject<Record<never, never>>
const nothing: Nothing = z.strictObject({})

/** Answers with no body. */
export const NO_CONTENT = { status: 204, description: 'Done', schema: z.void() } as const

export function operation<
  A extends Access,
  Result extends z.ZodType,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType = z.ZodUndefined,
>(definition: Definition<A, Params, Query, Body, Result>): Operation {
  return {
    ...definition,
    params: definition.params,
    query: definition.query,
    body: definition.body,
    bodyLimit: definition.bodyLimit,
    answer: definition.answer as unknown as Answer<z.ZodType>,
    givesCsv: definition.handleCsv !== undefined,
    receive: async (ctx, dependencies) => {
      await definition.admit?.(describeOrigin(ctx, dependencies.clock(), null), dependencies)
      if (definition.body) await readJsonBody(ctx, definition.bodyLimit)
    },
    perform: (ctx, dependencies) => perform(definition, ctx, dependencies),
  }
}

async function perform<
  A extends Access,
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Result extends z.ZodType,
>(
  definition: Definition<A, Params, Query, Body, Result>,
  ctx: Context,
  dependencies: ApiDependencies,
): Promise<void> {
  const { access, answer } = definition
  const now = dependencies.clock()
  const caller = access === 'public' ? null : requireScope(ctx, access, definition.exempt)
  const params = readParams(ctx, definition.params)
  const query = checkQuery(ctx, definition.query ?? nothing)
  const body = definition.body && checkBody(ctx, definition.body)
  const call = {
    caller,
    params,
    query,
    body,
    now,
    // An empty one names no version there is; `get` would take it for none.
    ifMatch: ctx.headers['if-match'] ?? null,
    origin: describeOrigin(ctx, now, caller?.actor ?? null),
    isAbandoned: () => ctx.res.destroyed,
  }
  // What the definition declares is what was just read; the compiler cannot follow absent schemas.
  const declared = call as Parameters<typeof definition.handle>[0]
  if (definition.handleCsv && ctx.accepts('json', 'text/csv') === 'text/csv') {
    ctx.type = 'text/csv; charset=utf-8; header=present'
    ctx.body = Readable.from(await definition.handleCsv(declared, dependencies))
    return
  }
  const result = await definition.handle(declared, dependencies)
  const checked = answer.schema.safeParse(result)
  if (!checked.success)
    throw new Error(`${definition.id} answered what it does not declare`, { cause: checked.error })
  ctx.status = answer.status
  if (answer.version) ctx.set('ETag', versionOf(answer.version(checked.data)))
  if (checked.data !== undefined) ctx.body = checked.data
}

/** What the path names; what cannot exist is not looked up. */
function readParams(ctx: Context, schema: z.ZodObject | undefined): unknown {
  const parsed = (schema ?? nothing).safeParse(ctx['params'])
  if (!parsed.success) throw new Problem('not_found')
  return parsed.data
}
