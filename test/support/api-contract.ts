// Every answer the tests get from the management API, held against the OpenAPI document.

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describeApi } from '../../src/server/api/openapi.ts'
import { API_PREFIX } from '../../src/server/api/operation.ts'
import { OPERATIONS } from '../../src/server/api/operations.ts'

interface Seen {
  readonly status: number
  readonly headers: Headers
  readonly json: unknown
  readonly text: string
}

interface Media {
  readonly schema: object
}
interface ResponseObject {
  readonly content?: Record<string, Media>
  readonly headers?: Record<string, { readonly required?: boolean }>
}

const document = JSON.parse(JSON.stringify(describeApi(OPERATIONS, 'https://sts.example.test'))) as {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, ResponseObject> }>>
  components: object
}

const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema({ $id: 'openapi', components: document.components })

const validators = new Map<object, ValidateFunction>()

function validatorOf(schema: object): ValidateFunction {
  const known = validators.get(schema)
  if (known) return known
  // References point into the document: `#/components/…` is one of the schema registered above.
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/')
  const validate = ajv.compile(JSON.parse(text) as object)
  validators.set(schema, validate)
  return validate
}

const TEMPLATES = Object.keys(document.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  parameters: path.split('{').length,
}))

function findOperation(method: string, path: string) {
  const [template] = TEMPLATES.filter(({ pattern }) => pattern.test(path)).sort(
    (a, b) => a.parameters - b.parameters,
  )
  return template && document.paths[template.path]?.[method.toLowerCase()]
}

/** Headers that tell a client what to do next: none of them comes unannounced. */
const TELLING = ['Allow', 'ETag', 'Link', 'Location', 'Retry-After', 'WWW-Authenticate']

function findHeaderProblem({ headers: declared = {} }: ResponseObject, { headers }: Seen): string | null {
  for (const [name, { required }] of Object.entries(declared))
    if (required && !headers.has(name)) return `without ${name}`
  const undeclared = TELLING.find((name) => headers.has(name) && !(name in declared))
  return undeclared === undefined ? null : `with ${undeclared}, which is not in the document`
}

/** What is wrong with an answer to `method` on `path` (below the prefix, without query); `null` when nothing is. */
export function findContractProblem(method: string, path: string, answer: Seen): string | null {
  const operation = findOperation(method, path)
  if (!operation) return [404, 405].includes(answer.status) ? null : 'the operation is not in the document'
  const response = operation.responses[String(answer.status)]
  if (!response)
    return `${operation.operationId} does not declare the status ${answer.status}: ${answer.text}`
  const header = findHeaderProblem(response, answer)
  if (header !== null) return `${operation.operationId} answers ${answer.status} ${header}`
  if (!response.content) return answer.text === '' ? null : `${operation.operationId} answers a body`
  const [type = ''] = (answer.headers.get('content-type') ?? '').split(';')
  const media = response.content[type]
  if (!media) return `${operation.operationId} answers ${type || 'nothing'} with ${answer.status}`
  const validate = validatorOf(media.schema)
  return validate(answer.json) ? null : `${operation.operationId}: ${ajv.errorsText(validate.errors)}`
}

/** The operation a request is for, as the document names it. */
export const operationIdOf = (method: string, path: string): string | undefined =>
  findOperation(method, path)?.operationId

export const OPERATION_IDS: readonly string[] = OPERATIONS.map(({ id }) => id)
export { API_PREFIX }
