// The page for people at /docs, rendered from the OpenAPI document that machines read. No script, nothing from elsewhere.

import { createHash } from 'node:crypto'
import { PROBLEMS } from '../http/problem.ts'
import { describeOperation, type OperationObject } from './docs-operation.ts'
import { anchorOf, describeSchema, type Schema, table } from './docs-schema.ts'
import { STYLE } from './docs-style.ts'
import { type Content, Html, html, prose } from './html.ts'

/** What the page reads of the document. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly [{ readonly url: string }]
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly securitySchemes: { readonly bearer: { readonly description: string } }
  }
}

interface Entry {
  readonly method: string
  readonly path: string
  readonly operation: OperationObject
}

const styleDigest = createHash('sha256').update(STYLE).digest('base64')

/** The page runs nothing, loads nothing, and is shown in no frame; its own style is all it may use. */
export const PAGE_POLICY =
  `default-src 'none'; style-src 'sha256-${styleDigest}'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function renderPage(document: ApiDocument): string {
  const { info } = document
  const groups = groupByTag(document)
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header><p class="brand">${info.title} <span class="version">${info.version}</span></p></header>
<nav aria-label="Contents">${renderContents(groups, document)}</nav>
<main id="content">
<h1>${info.title}</h1>
<p>${prose(info.description)}</p>
<p>Base URL <code>${document.servers[0].url}</code>. The same as <a href="/openapi.json">OpenAPI 3.1</a>.</p>
${renderAuthentication(document)}
${[...groups].map(([tag, entries]) => renderGroup(tag, entries, document))}
${renderSchemas(document)}
${renderErrors()}
</main>
</body>
</html>
`
  return page.text
}

function groupByTag({ paths, tags }: ApiDocument): ReadonlyMap<string, readonly Entry[]> {
  const entries = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Entry => ({ method, path, operation })),
  )
  const byTag = Map.groupBy(entries, ({ operation }) => operation.tags[0])
  return new Map(tags.map(({ name }) => [name, byTag.get(name) ?? []]))
}

const idOfTag = (tag: string): string => `tag-${tag.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`

const renderContents = (
  groups: ReadonlyMap<string, readonly Entry[]>,
  { components }: ApiDocument,
): Content => html`
<ul>
<li><a href="#authentication">Authentication</a></li>
${[...groups].map(
  ([tag, entries]) => html`<li><a href="#${idOfTag(tag)}">${tag}</a><ul>
${entries.map(({ operation: { operationId, summary } }) => html`<li><a href="#${operationId}">${summary}</a></li>`)}
</ul></li>`,
)}
<li><a href="#schemas">Schemas</a><ul>
${Object.keys(components.schemas).map((name) => html`<li><a href="#${anchorOf(name)}">${name}</a></li>`)}
</ul></li>
<li><a href="#errors">Errors</a></li>
</ul>`

const renderAuthentication = ({ components, servers }: ApiDocument): Content => html`
<section aria-labelledby="authentication">
<h2 id="authentication">Authentication</h2>
<p>${prose(components.securitySchemes.bearer.description)}, in the header <code>Authorization: Bearer …</code>.
An operation names the scope it needs; what you hold is the part of your role that your credential was not narrowed
away from, as it is now.</p>
<p>Keep the header in a file that only you can read. A credential on a command line can be read by everyone on the
machine, and stays in the history of your shell:</p>
<pre tabindex="0"><code>umask 077
read -rsp 'Credential: ' token
printf 'Authorization: Bearer %s\\n' "$token" &gt; patmint.header
unset token
curl -H @patmint.header "${servers[0].url}/me"</code></pre>
<p>Where an example names a variable such as <code>$ID</code>, put what you mean in its place.</p>
</section>`

const renderGroup = (tag: string, entries: readonly Entry[], document: ApiDocument): Content => html`
<section aria-labelledby="${idOfTag(tag)}">
<h2 id="${idOfTag(tag)}">${tag}</h2>
${entries.map(({ method, path, operation }) => {
  const components = document.components.schemas
  return describeOperation(operation, { method, path, server: document.servers[0].url, components })
})}
</section>`

const renderSchemas = ({ components }: ApiDocument): Content => html`
<section aria-labelledby="schemas">
<h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas).map(
  ([name, schema]) => html`<h3 id="${anchorOf(name)}"><a href="#${anchorOf(name)}">${name}</a></h3>
${schema.description === undefined ? '' : html`<p>${prose(schema.description)}</p>`}
${describeSchema(schema, name)}`,
)}
</section>`

const renderErrors = (): Content => html`
<section aria-labelledby="errors">
<h2 id="errors">Errors</h2>
<p>A problem document (RFC 9457), <code>application/problem+json</code>. <code>code</code> is stable; the rest is for
people. What you may not see does not exist: 404. A 401, and a 403 for want of a scope, says in
<code>WWW-Authenticate</code> what to present instead; a 429 or 503 says in <code>Retry-After</code> how many seconds to
wait.</p>
${table(
  'Codes of problems',
  ['Code', 'Status', 'Title'],
  Object.entries(PROBLEMS).map(
    ([code, [status, title]]) =>
      html`<tr><th scope="row"><code>${code}</code></th><td>${status}</td><td>${title}</td></tr>`,
  ),
)}
</section>`
