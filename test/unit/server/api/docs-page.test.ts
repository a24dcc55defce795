import { describe, expect, it } from 'vitest'
import { exampleOf } from '../../../../src/server/api/docs-example.ts'
import { type ApiDocument, renderPage } from '../../../../src/server/api/docs-page.ts'
import { describeMember, describeType, listMembers } from '../../../../src/server/api/docs-schema.ts'
import { html, prose } from '../../../../src/server/api/html.ts'

const HOSTILE = `<script>alert("1")</script>'&`
const ESCAPED = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;'

/** A document in which every text is hostile. */
const document: ApiDocument = {
  info: { title: HOSTILE, version: HOSTILE, description: HOSTILE },
  servers: [{ url: HOSTILE }],
  tags: [{ name: HOSTILE }],
  paths: {
    [`/${HOSTILE}`]: {
      post: {
        operationId: 'x',
        tags: [HOSTILE],
        summary: HOSTILE,
        description: HOSTILE,
        security: [{ bearer: [HOSTILE] }],
        parameters: [{ in: 'query', name: HOSTILE, schema: { description: HOSTILE, pattern: HOSTILE } }],
        requestBody: {
          content: {
            'application/json': {
              schema: {
                properties: { [HOSTILE]: { enum: [HOSTILE], default: HOSTILE, format: HOSTILE } },
              },
            },
          },
        },
        responses: { [HOSTILE]: { description: HOSTILE, content: { 'application/json': { schema: {} } } } },
      },
    },
  },
  components: {
    schemas: { Hostile: { description: HOSTILE, properties: { a: { const: HOSTILE, type: HOSTILE } } } },
    securitySchemes: { bearer: { description: HOSTILE } },
  },
}

describe('the page', () => {
  it('shows whatever the document holds as text', () => {
    const page = renderPage(document)
    expect(page).not.toContain('<script')
    expect(page).toContain(ESCAPED)
  })
})

describe('html', () => {
  it('escapes text, and leaves markup that was made by it', () => {
    expect(html`<p title="${HOSTILE}">${[HOSTILE, html`<b>${1}</b>`]}</p>`.text).toBe(
      `<p title="${ESCAPED}">${ESCAPED}<b>1</b></p>`,
    )
  })

  it('makes code of what stands in backticks', () => {
    expect(html`${prose('takes `<a>` and `b`')}`.text).toBe('takes <code>&lt;a&gt;</code> and <code>b</code>')
  })
})

describe('a schema', () => {
  const textOf = (schema: Parameters<typeof describeType>[0]): string => html`${describeType(schema)}`.text

  it.each([
    [{ type: 'string' }, 'string'],
    [{ type: ['string', 'null'] }, 'string or null'],
    [{ anyOf: [{ type: 'string' }, { type: 'string' }, { type: 'null' }] }, 'string or null'],
    [{ type: 'array', items: { enum: ['a', 1] } }, 'array of <code>&quot;a&quot;</code> or <code>1</code>'],
    [{ $ref: '#/components/schemas/User' }, '<a href="#schema-User">User</a>'],
    [{}, 'any'],
  ])('%j is read as %s', (schema, text) => {
    expect(textOf(schema)).toBe(text)
  })

  it.each([
    [{ type: 'string', maxLength: 20 }, 'at most 20 characters'],
    [
      { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
      'at least 1 item; at least 1 character',
    ],
    [{ type: 'integer', minimum: 1, maximum: 200 }, '1 to 200'],
    [
      {
        anyOf: [
          { type: 'string', maxLength: 20 },
          { type: 'array', maxItems: 2, items: { maxLength: 20 } },
        ],
      },
      'at most 20 characters; at most 2 items',
    ],
  ])('%j says each of its limits once: %s', (schema, limits) => {
    const row = html`${describeMember({ path: 'a', isRequired: false, schema })}`.text
    expect(row).toContain(`<span class="limits">${limits}</span>`)
  })

  it('lists the members of its members', () => {
    const inner = { properties: { b: { type: 'string' } }, required: ['b'] }
    const schema = { properties: { a: inner, c: { items: inner }, d: { anyOf: [inner, { type: 'null' }] } } }
    expect(listMembers(schema).map(({ path, isRequired }) => `${path} ${isRequired}`)).toEqual([
      'a false',
      'a.b true',
      'c false',
      'c[].b true',
      'd false',
      'd.b true',
    ])
  })
})

describe('an example', () => {
  it('has the members that are needed, or the first where none is', () => {
    const properties = { a: { type: 'string' }, b: { type: 'integer', minimum: 400 } }
    expect(exampleOf({ properties, required: ['b'] }, {})).toEqual({ b: 400 })
    expect(exampleOf({ properties }, {})).toEqual({ a: 'ci' })
  })

  it('follows references, and fits patterns and lengths', () => {
    const components = { Id: { type: 'string', pattern: '^[0-9a-f]{16}$' } }
    expect(exampleOf({ $ref: '#/components/schemas/Id' }, components)).toBe('0123456789abcdef')
    expect(exampleOf({ type: 'string', minLength: 17, maxLength: 30 }, {})).toBe('https://api.example.com')
  })
})
