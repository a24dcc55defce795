// The OpenAPI 3.1 document, made of the operations themselves.

import { z } from 'zod'
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi'
import { PROBLEMS, type ProblemCode } from '../http/problem.ts'
import { type Access, API_PREFIX, type Operation } from './operation.ts'

/** What any operation may answer, whatever it does. */
const COMMON: readonly ProblemCode[] = ['temporarily_unavailable', 'internal_error']

function listProblems(operation: Operation): ProblemCode[] {
  const { access, params, query, body, answer, method, problems = [] } = operation
  const codes: ProblemCode[] = [...COMMON, 'invalid_request', ...problems]
  if (access !== 'public') codes.push('unauthorized', 'too_many_requests')
  if (access !== 'public' && access !== 'any_caller') codes.push('forbidden')
  if (params) codes.push('not_found')
  if (query) codes.push('invalid_request')
  if (body) codes.push('unsupported_media_type', 'payload_too_large')
  if (answer.version && method !== 'get' && method !== 'post') codes.push('precondition_failed')
  return [...new Set(codes)]
}

const problemSchema = z
  .looseObject({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('Stable; the rest is for people'),
    detail: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' })

const challenge = z.string().describe('`Bearer` with an error code (RFC 6750 section 3)')
const retryAfter = z.object({ 'Retry-After': z.int().min(1).describe('Seconds to wait') })

/** Headers of the problems with a status. */
const PROBLEM_HEADERS: Readonly<Partial<Record<number, z.ZodObject>>> = {
  401: z.object({ 'WWW-Authenticate': challenge }),
  403: z.object({
    'WWW-Authenticate': challenge.optional().describe('Names the scope, where it is one that is missing'),
  }),
  429: retryAfter,
  503: retryAfter,
}

function describeProblems(problems: readonly ProblemCode[]): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(problems, (code) => PROBLEMS[code][0])
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}`).join('; '),
        ...(PROBLEM_HEADERS[status] ? { headers: PROBLEM_HEADERS[status] } : {}),
        content: {
          'application/problem+json': {
            schema: z.intersection(problemSchema, z.looseObject({ code: z.enum(codes) })),
          },
        },
      },
    ]),
  )
}

const entityTag = z.string().describe('Version of the object, for `If-Match`')
const ifMatch = z
  .string()
  .optional()
  .describe('The `ETag` you read: with it, nothing is done to what has changed since')

/** For a bearer the list names the scopes that are needed (OpenAPI 3.1, Security Requirement Object). */
function describeAccess(access: Access): Record<string, string[]>[] {
  if (access === 'public') return []
  return [{ bearer: access === 'any_caller' ? [] : [access] }]
}

function describeOperation(operation: Operation): ZodOpenApiOperationObject {
  const { id, tag, summary, description, access, params, query, body, answer } = operation
  const problems = listProblems(operation)
  const isConditional = problems.includes('precondition_failed')
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: describeAccess(access),
    requestParams: {
      ...(params ? { path: params } : {}),
      ...(query ? { query } : {}),
      ...(isConditional ? { header: z.object({ 'If-Match': ifMatch }) } : {}),
    },
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: body } } } } : {}),
    responses: {
      [String(answer.status)]: {
        description: answer.description,
        ...(answer.version ? { headers: z.object({ ETag: entityTag }) } : {}),
        ...(answer.status === 204 ? {} : { content: describeContent(operation) }),
      },
      ...describeProblems(problems),
    },
  }
}

const describeContent = ({ answer, givesCsv }: Operation) => ({
  'application/json': { schema: answer.schema },
  ...(givesCsv ? { 'text/csv': { schema: z.string() } } : {}),
})

/** The document of the API at `issuer`. */
export function describeApi(operations: readonly Operation[], issuer: string): object {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {}
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describeOperation(operation) }
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Patmint management API',
      version: 'v1',
      description:
        'Members are snake_case; instants are RFC 3339 in UTC; durations are whole seconds. Errors are problem ' +
        'documents (RFC 9457) with a stable `code`. What a caller may not see does not exist: 404. Lists answer ' +
        '`{ items, next_cursor }`. What can be changed has an `ETag`: sent back as `If-Match` with a change, it makes ' +
        'sure that nobody else was faster (412).',
    },
    servers: [{ url: issuer + API_PREFIX }],
    security: [{ bearer: [] }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths: paths as ZodOpenApiPathsObject,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: `A credential itself, or an access token for the audience ${issuer}/api`,
        },
      },
    },
  })
}
