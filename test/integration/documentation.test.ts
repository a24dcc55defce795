// What the API says of itself, over HTTP: the OpenAPI document, and the page for people.

import { createHash } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PROBLEMS } from '../../src/server/http/problem.ts'
import { OPERATION_IDS } from '../support/api-contract.ts'
import { ISSUER, startTestServer, type TestServer } from '../support/test-server.ts'

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly security: readonly { readonly bearer: readonly string[] }[]
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required: boolean }[]
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> }
  readonly responses: Record<string, { readonly headers?: Record<string, { readonly required?: boolean }> }>
}

interface Document {
  readonly openapi: string
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly schemas: Record<string, object> }
}

let server: TestServer
let document: Document
let page = ''
beforeAll(async () => {
  server = await startTestServer()
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document
  page = await (await fetch(`${server.url}/docs`)).text()
})
afterAll(() => server.stop())

const listOperations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

function* walk(node: unknown): Generator<Record<string, unknown>> {
  if (typeof node !== 'object' || node === null) return
  yield node as Record<string, unknown>
  for (const inner of Object.values(node)) yield* walk(inner)
}

describe('/openapi.json', () => {
  it('may be read by every page and kept for five minutes, without asking the database', async () => {
    server.takeQueries()
    const { status, headers } = await fetch(`${server.url}/openapi.json`)
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
    expect(headers.get('access-control-allow-origin')).toBe('*')
    expect(headers.get('cache-control')).toBe('public, max-age=300')
    expect(server.takeQueries()).toEqual([])
  })

  it('is of the issuer, whatever the Host header says', () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    expect(document.servers).toEqual([{ url: `${ISSUER}/api/v1` }])
  })

  it('names every operation once', () => {
    const ids = listOperations().map(({ operation }) => operation.operationId)
    expect([...ids].sort()).toEqual([...OPERATION_IDS].sort())
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('declares every tag it uses', () => {
    const used = new Set(listOperations().flatMap(({ operation }) => operation.tags))
    expect(new Set(document.tags.map(({ name }) => name))).toEqual(used)
  })

  it('declares every parameter of every path, as required', () => {
    for (const { path, operation } of listOperations()) {
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      expect(declared.map(({ name, required }) => `${name} ${required}`).sort(), path).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => `${name} true`).sort(),
      )
    }
  })

  it('has every schema it refers to', () => {
    const references = [...walk(document)].flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []))
    expect(references.length).toBeGreaterThan(10)
    const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)
    expect([...new Set(references)].filter((reference) => !known.includes(reference))).toEqual([])
  })

  it('holds nothing but valid JSON schemas of draft 2020-12', () => {
    const ajv = new Ajv2020({ strict: false })
    const schemas = [...walk(document)].flatMap(({ schema }) => (schema ? [schema as object] : []))
    expect(schemas.length).toBeGreaterThan(50)
    for (const schema of [...schemas, ...Object.values(document.components.schemas)])
      expect(ajv.validateSchema(schema), JSON.stringify(schema)).toBe(true)
  })

  it('offers If-Match wherever an operation may answer 412, which every change of an object does', () => {
    for (const { method, path, operation } of listOperations()) {
      const offers = (operation.parameters ?? []).some(
        ({ in: where, name }) => where === 'header' && name === 'If-Match',
      )
      expect([operation.operationId, offers]).toEqual([operation.operationId, '412' in operation.responses])
      if (['patch', 'delete'].includes(method)) expect([method, path, offers]).toEqual([method, path, true])
    }
  })

  it('declares the headers of problems: what to present on 401 and 403, how long to wait on 429 and 503', () => {
    const declared = (responses: Operation['responses'], status: string) =>
      Object.entries(responses[status]?.headers ?? {}).map(([name, { required = false }]) => [name, required])
    for (const { operation } of listOperations())
      for (const [status, headers] of Object.entries({
        401: [['WWW-Authenticate', true]],
        403: [['WWW-Authenticate', false]],
        429: [['Retry-After', true]],
        503: [['Retry-After', true]],
      }))
        if (status in operation.responses) expect(declared(operation.responses, status)).toEqual(headers)
  })

  it('names the scope of each operation, and answers 401 and 403 where there is one', () => {
    for (const { operation } of listOperations()) {
      const [requirement] = operation.security
      const statuses = Object.keys(operation.responses)
      expect([operation.operationId, statuses.includes('401')]).toEqual([
        operation.operationId,
        requirement !== undefined,
      ])
      if (requirement?.bearer.length) expect(statuses).toContain('403')
    }
  })
})

/** What an attribute or a text of the page says. */
const decodeEntities = (text: string): string =>
  text.replaceAll(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => {
    const characters: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
    return characters[name] ?? ''
  })

describe('/docs', () => {
  it('runs nothing, loads nothing and stands in no frame', async () => {
    const { status, headers } = await fetch(`${server.url}/docs`)
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
    const digest = createHash('sha256').update(style).digest('base64')
    expect(headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(page).not.toMatch(
      /<(script|img|iframe|link|form|input|button|object)\b|\son\w+=|\sstyle=|javascript:/i,
    )
  })

  it('describes every operation with its path, its scope and its answers', () => {
    for (const { path, method, operation } of listOperations()) {
      const { operationId: id, summary, security, responses } = operation
      const start = page.indexOf(`<article aria-labelledby="${id}">`)
      expect(start, id).toBeGreaterThan(0)
      const article = decodeEntities(page.slice(start, page.indexOf('</article>', start)))
      const expected = [
        summary,
        `${method.toUpperCase()}</span> <code>${path}</code>`,
        ...(security[0]?.bearer ?? []),
        ...Object.keys(responses).map((status) => `<code>${status}</code>`),
        ...(operation.parameters ?? []).map(({ name }) => `<code>${name}</code>`),
        'curl -H @patmint.header',
      ]
      expect(
        expected.filter((text) => !article.includes(text)),
        id,
      ).toEqual([])
    }
  })

  it('leads from its contents, and from everywhere else, to what exists', () => {
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target ?? '')
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id ?? '')
    expect(new Set(ids).size).toBe(ids.length)
    expect([...new Set(targets)].filter((target) => !ids.includes(target))).toEqual([])
    for (const id of [...OPERATION_IDS, 'authentication', 'schemas', 'errors', 'content'])
      expect(ids).toContain(id)
  })

  it('can be used by keyboard and screen reader', () => {
    expect(page).toContain('<html lang="en">')
    expect(page).toContain('<a class="skip" href="#content">')
    expect(page).toContain('<nav aria-label="Contents">')
    expect(page.match(/<h1>/g)).toHaveLength(1)
    const levels = [...page.matchAll(/<h([1-6])\b/g)].map(([, level]) => Number(level))
    expect(levels.filter((level, index) => level - (levels[index - 1] ?? 0) > 1)).toEqual([])
    // What scrolls can be reached, and is named.
    const scrolling = page.match(/<div class="table"[^>]*>/g) ?? []
    expect(scrolling.filter((tag) => !/role="region" aria-label="[^"]+" tabindex="0"/.test(tag))).toEqual([])
    expect((page.match(/<pre>/g) ?? []).length).toBe(0)
    expect(page.match(/<th(?! scope="(col|row)"|ead)/g)).toBeNull()
  })

  it('closes every element it opens', () => {
    const open: string[] = []
    for (const [, end, name = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
      if (name === 'meta') continue
      if (end) expect(open.pop()).toBe(name)
      else open.push(name)
    }
    expect(open).toEqual([])
  })

  it('names every code of a problem', () => {
    for (const code of Object.keys(PROBLEMS)) expect(page).toContain(`<code>${code}</code>`)
  })

  it('shows bodies that the operations take, and no credential in an argument', () => {
    const ajv = new Ajv2020({ strict: false })
    addFormats.default(ajv)
    ajv.addSchema({ $id: 'openapi', components: document.components })
    const bodies = listOperations().filter(({ operation }) => operation.requestBody)
    expect(bodies.length).toBeGreaterThan(5)
    for (const { operation } of bodies) {
      const schema = operation.requestBody?.content['application/json']?.schema ?? {}
      const start = page.indexOf(`<article aria-labelledby="${operation.operationId}">`)
      const [, shown = ''] =
        /body\.json<\/code><\/p><pre tabindex="0"><code>([\s\S]*?)<\/code>/.exec(page.slice(start)) ?? []
      const text = JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/')
      const validate = ajv.compile(JSON.parse(text) as object)
      const isValid = validate(JSON.parse(decodeEntities(shown)))
      expect(isValid, `${operation.operationId} ${shown} ${ajv.errorsText(validate.errors)}`).toBe(true)
    }
    expect(page).not.toMatch(/curl[^\n]*Bearer/)
    expect(page).not.toMatch(/(pat|key)_[0-9a-f]{64}/)
  })

  it('is not for other methods', async () => {
    expect((await fetch(`${server.url}/docs`, { method: 'POST' })).status).toBe(405)
  })
})
