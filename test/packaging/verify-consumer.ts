// A stranger's project that embeds the library, by whichever name it was installed: programs, and how they are compiled.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { expect } from 'vitest'
import { REPOSITORY, run } from './shell.ts'

const ISSUER = 'https://sts.example.test'
const AUDIENCE = 'https://api.example.com'

const writeJavaScript = (library: string): string => `
import { readFileSync } from 'node:fs'
import { createVerifier, VerifyError } from '${library}'
import { requireToken as forExpress } from '${library}/express'
import { requireToken as forFastify } from '${library}/fastify'
import { requireToken as forFetch } from '${library}/fetch'
import { requireToken as forHono } from '${library}/hono'
import { requireToken as forKoa } from '${library}/koa'

const { token, jwks } = JSON.parse(readFileSync('token.json', 'utf8'))
const verifier = createVerifier({
  issuer: '${ISSUER}',
  audience: '${AUDIENCE}',
  statusList: null,
  dpop: null,
  fetch: async () => new Response(JSON.stringify(jwks)),
})
const { sub } = await verifier.verify(token)
const code = await verifier.verify(token.slice(0, -10) + 'AAAAAAAAAA').catch((error) => error instanceof VerifyError && error.code)
for (const adapter of [forExpress, forFastify, forHono, forKoa]) adapter({ verifier })
const handle = forFetch({ verifier, scope: 'models/m1:read' }, (request, { org }) => new Response(org))
const headers = { authorization: 'Bearer ' + token }
const answers = await Promise.all([{ headers }, {}].map((init) => handle(new Request('https://x.example/', init))))
verifier.close()
console.log(JSON.stringify({ sub, code, statuses: answers.map(({ status }) => status), body: await answers[0].text() }))
`

const writeTypeScript = (library: string): string => `
import {
  createVerifier,
  describeResource,
  requireScope,
  VerifyError,
  type VerifiedClaims,
  type Verifier,
  type VerifyErrorCode,
} from '${library}'
import { readClaims, requireToken as forExpress } from '${library}/express'
import { requireToken as forFastify } from '${library}/fastify'
import { requireToken as forFetch } from '${library}/fetch'
import { type AuthVariables, requireToken as forHono } from '${library}/hono'
import { type AuthState, requireToken as forKoa } from '${library}/koa'

const verifier: Verifier = createVerifier({ issuer: '${ISSUER}', audience: '${AUDIENCE}' })
const metadata = describeResource({ resource: '${AUDIENCE}', issuers: ['${ISSUER}'] })
const options = { verifier, metadata, publicUrl: '${AUDIENCE}' }

export async function subjectOf(token: string): Promise<string | VerifyErrorCode> {
  try {
    const claims: VerifiedClaims = await verifier.verify(token)
    requireScope(claims, 'models:read')
    return claims.sub
  } catch (error) {
    if (error instanceof VerifyError) return error.code
    throw error
  }
}

export const middleware = [forExpress(options), forFastify(options), forHono(options), forKoa(options)]
export const handle = forFetch(options, (request: Request, { org }, env: { greeting: string }) => new Response(request.url + org + env.greeting))
export const subjects = (state: AuthState, variables: AuthVariables): string[] =>
  [state.auth, variables.auth, readClaims(state)].map(({ sub }) => sub)

// @ts-expect-error the audience is named, or given up by an explicit null
createVerifier({ issuer: '${ISSUER}' })
// @ts-expect-error a scope is text
forKoa({ verifier, scope: 1 })
`

/** Writes the project: programs for `library`, and a token with the keys to check it. */
export async function writeConsumer(folder: string, library: string): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'user-1',
    iat: now,
    exp: now + 300,
    jti: 'token-1',
    client_id: 'patmint-cli',
    scope: 'models:read',
    org: 'acme',
    cred: '0123456789abcdef',
  }
  const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'ES256', kid: 'key-1', typ: 'at+jwt' })
    .sign(privateKey)
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'key-1', use: 'sig' }] }
  await writeFile(join(folder, 'token.json'), JSON.stringify({ token, jwks }))
  await writeFile(join(folder, 'consumer.js'), writeJavaScript(library))
  await writeFile(join(folder, 'consumer.ts'), writeTypeScript(library))
}

/** Runs the JavaScript by `runtime` and expects it to verify, to refuse what is forged, and to guard a handler. */
export async function expectToVerify(folder: string, runtime = 'node', ...args: string[]): Promise<void> {
  const { stdout } = await run(runtime, [...args, 'consumer.js'], folder)
  const verified = { sub: 'user-1', code: 'signature_invalid', statuses: [200, 401], body: 'acme' }
  expect(JSON.parse(stdout)).toEqual(verified)
}

export const RESOLUTIONS = [
  { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2022', 'dom'], types: [] },
  { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [] },
  { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2022'], types: ['node'] },
]

/** Compiles `files` with every check on, those of declarations too. */
export async function expectToCompile(
  folder: string,
  resolution: (typeof RESOLUTIONS)[number],
  files: readonly string[] = ['consumer.ts'],
): Promise<void> {
  const compilerOptions = {
    ...resolution,
    typeRoots: [join(REPOSITORY, 'node_modules', '@types')],
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  }
  const project = join(folder, 'tsconfig.json')
  await writeFile(project, JSON.stringify({ compilerOptions, files }))
  const tsc = join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc')
  expect(await run('node', [tsc, '-p', project], folder)).toEqual({ stdout: '', stderr: '' })
}

/** Makes an empty project and installs what is named. */
export async function installInto(folder: string, ...packages: readonly string[]): Promise<void> {
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  await run('npm', ['install', '--no-audit', '--no-fund', ...packages], folder)
}
