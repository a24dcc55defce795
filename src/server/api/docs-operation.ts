// One operation of the OpenAPI document as a section of the page.

import { exampleOf } from './docs-example.ts'
import { describeMember, describeSchema, describeType, type Schema, table } from './docs-schema.ts'
import { type Content, html, prose } from './html.ts'

interface Media {
  readonly schema: Schema
}

interface Parameter {
  readonly in: string
  readonly name: string
  readonly required?: boolean
  readonly description?: string
  readonly schema: Schema
}

/** What the page reads of an operation. */
export interface OperationObject {
  readonly operationId: string
  readonly tags: readonly [string]
  readonly summary: string
  readonly description?: string
  readonly security: readonly { readonly bearer: readonly string[] }[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: { readonly 'application/json': Media } }
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Media>> }>
  >
}

export interface Place {
  readonly method: string
  readonly path: string
  /** URL of the API. */
  readonly server: string
  readonly components: Readonly<Record<string, Schema>>
}

export function describeOperation(operation: OperationObject, place: Place): Content {
  const { operationId: id, summary, description, parameters = [], requestBody } = operation
  const body = requestBody?.content['application/json'].schema
  return html`
<article aria-labelledby="${id}">
<h3 id="${id}"><a href="#${id}">${summary}</a></h3>
<p class="endpoint"><span class="method ${place.method}">${place.method.toUpperCase()}</span> <code>${place.path}</code></p>
<p>${describeAccess(operation)}</p>
${description === undefined ? '' : html`<p>${prose(description)}</p>`}
${parameters.length === 0 ? '' : describeParameters(parameters, summary)}
${body ? html`<h4>Body</h4>${describeSchema(body, `Body: ${summary}`)}` : ''}
<h4>Answers</h4>
${describeAnswers(operation)}
<h4>Example</h4>
${describeExample(body, place)}
</article>`
}

function describeAccess({ security }: OperationObject): Content {
  const [requirement] = security
  if (!requirement) return 'Takes no authentication.'
  const [scope] = requirement.bearer
  return scope === undefined ? 'For every caller.' : html`Needs the scope <code>${scope}</code>.`
}

const describeParameters = (parameters: readonly Parameter[], summary: string): Content => html`
<h4>Parameters</h4>
${table(
  `Parameters: ${summary}`,
  ['Parameter', 'Type', 'Description'],
  parameters.map(({ name, in: where, required = false, schema, description }) =>
    describeMember({
      path: name,
      isRequired: required,
      schema: {
        ...schema,
        description: [PLACES[where], schema.description ?? description].filter(Boolean).join(' '),
      },
    }),
  ),
)}`

const PLACES: Readonly<Record<string, string>> = {
  path: 'In the path.',
  query: 'In the query.',
  header: 'A header.',
}

function describeAnswers({ responses, summary }: OperationObject): Content {
  const rows = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const media = content['application/json']
    return html`<tr><th scope="row"><code>${status}</code></th><td>${prose(description)}</td><td>${
      media
        ? describeAnswer(media.schema)
        : content['application/problem+json']
          ? html`<a href="#errors">problem</a>`
          : ''
    }</td></tr>`
  })
  return table(`Answers: ${summary}`, ['Status', 'Meaning', 'Body'], rows)
}

/** A page of a list names what it lists. */
function describeAnswer(schema: Schema): Content {
  const { items, next_cursor } = schema.properties ?? {}
  if (items?.items && next_cursor) return ['a page of ', describeType(items.items)]
  return schema.properties
    ? html`<code>{ ${Object.keys(schema.properties).join(', ')} }</code>`
    : describeType(schema)
}

function describeExample(body: Schema | undefined, { method, path, server, components }: Place): Content {
  const verb = method === 'get' || (method === 'post' && body) ? '' : `-X ${method.toUpperCase()} `
  const url = server + path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `$${name.toUpperCase()}`)
  const json = body ? JSON.stringify(exampleOf(body, components), null, 2) : ''
  const data = body ? '--json @body.json ' : ''
  return html`${body ? html`<p class="file"><code>body.json</code></p><pre tabindex="0"><code>${json}</code></pre>` : ''}
<pre tabindex="0"><code>curl -H @patmint.header ${verb}${data}"${url}"</code></pre>`
}
