// `npm run demo`: the main job from an empty machine, step by step, with real parts: a server of its own in a
// temporary folder, a user, a PAT, an exchange, offline verification, refusals, revocation. Exit 0 when each step did its part.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { PAT_TYPE, TOKEN_EXCHANGE_GRANT } from '../protocol/urn.ts'
import { createVerifier, requireScope, VerifyError } from '../verify/index.ts'

const AUDIENCE = 'https://api.example.com'
const DECLARATIVE = `resource_servers:
  - audience: ${AUDIENCE}
    name: Example API
    scopes: { "models:read": Read models, "models:write": Change models }
organizations: [{ slug: acme, name: Acme }]
roles:
  - { organization: acme, name: analyst, permissions: [{ audience: "${AUDIENCE}", scopes: ["models:read"] }] }
users:
  - { email: jane@acme.test, name: Jane, memberships: [{ organization: acme, role: analyst }] }
`

const say = (text: string): void => void process.stdout.write(`${text}\n`)
let steps = 0
const step = (title: string): void => say(`\n${++steps}. ${title}`)
const show = (value: unknown): void => say(JSON.stringify(value, null, 2).replace(/^/gm, '   '))

/** A credential as it may be shown: its public prefix. */
const shorten = (pat: string): string => `${pat.slice(0, 10)}…`

function expectThat(condition: boolean, promise: string): void {
  if (!condition) throw new Error(`the demo expected: ${promise}`)
  say(`   ✓ ${promise}`)
}

interface RunningServer {
  readonly url: string
  readonly process: ChildProcess
}

async function startServer(dataDir: string, applyFile: string): Promise<RunningServer> {
  // Of this shell's own Patmint, say a database in production, the demo must know nothing.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PATMINT_'))
  const env = {
    ...Object.fromEntries(inherited),
    PATMINT_CONFIG: '/dev/null',
    PATMINT_PORT: '0',
    PATMINT_METRICS_PORT: 'off',
    PATMINT_DATA_DIR: dataDir,
    PATMINT_APPLY: applyFile,
  }
  const main = fileURLToPath(new URL('../server/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line) as { msg: string; issuer: string }
    if (entry.msg === 'listening') return { url: entry.issuer, process: child }
  }
  throw new Error('the server ended before it listened')
}

async function call(
  url: string,
  init: RequestInit,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, init)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const exchange = (url: string, pat: string, scope: string) =>
  call(`${url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: TOKEN_EXCHANGE_GRANT,
      client_id: 'patmint-cli',
      subject_token: pat,
      subject_token_type: PAT_TYPE,
      audience: AUDIENCE,
      scope,
    }),
  })

async function issuePat(url: string, adminPat: string): Promise<string> {
  const headers = { Authorization: `Bearer ${adminPat}`, 'Content-Type': 'application/json' }
  const users = await call(`${url}/api/v1/users?email=jane@acme.test`, { headers })
  const [jane] = users.body['items'] as { id: string }[]
  const body = JSON.stringify({ name: 'demo laptop', expires_in_seconds: 30 * 86_400 })
  const issued = await call(`${url}/api/v1/users/${jane?.id}/tokens`, { method: 'POST', headers, body })
  const { token, ...credential } = issued.body
  show({ ...credential, token: shorten(String(token)) })
  expectThat(issued.status === 201, 'Jane has a PAT; its value is shown this once')
  return String(token)
}

async function runSteps(dataDir: string, server: RunningServer): Promise<void> {
  say(`   ${server.url}, an embedded Postgres, and an admin PAT in ${join(dataDir, 'bootstrap-token')}`)
  const adminPat = readFileSync(join(dataDir, 'bootstrap-token'), 'utf8').trim()

  step('The admin issues a PAT for Jane, who is an analyst: she may read models')
  const pat = await issuePat(server.url, adminPat)

  step(`The PAT is exchanged for an access token, narrowed to one model`)
  const granted = await exchange(server.url, pat, 'models/m1:read')
  const token = String(granted.body['access_token'])
  show({ ...granted.body, access_token: `${token.slice(0, 24)}…` })
  expectThat(granted.status === 200, 'RFC 8693 token exchange gave a short-lived JWT')

  step('A service verifies it: three lines, and no call home once it has the keys and the status list')
  const verifier = createVerifier({ issuer: server.url, audience: AUDIENCE })
  show(await verifier.verify(token))
  requireScope(await verifier.verify(token), 'models/m1:read')
  expectThat(true, 'signature, issuer, audience, type, expiry and scope hold')

  step('What must not work')
  await showRefusals(server.url, pat, verifier, token)

  step('Jane revokes her PAT')
  const url = `${server.url}/api/v1/tokens/${pat.slice(4, 20)}`
  const revoked = await fetch(url, { method: 'DELETE', headers: { Authorization: `Bearer ${pat}` } })
  expectThat(revoked.status === 204, 'it is revoked')
  const dead = await exchange(server.url, pat, 'models:read')
  show(dead.body)
  expectThat(dead.status === 400, 'the next exchange is refused, in the same words as a typo')

  step('The server is stopped; the service goes on verifying')
  server.process.kill('SIGTERM')
  const [code] = await once(server.process, 'exit')
  expectThat(code === 0, 'the server drained and exited with 0')
  expectThat((await verifier.verify(token)).org === 'acme', 'the token still verifies, offline')
}

async function showRefusals(
  url: string,
  pat: string,
  verifier: ReturnType<typeof createVerifier>,
  token: string,
): Promise<void> {
  const last = pat.endsWith('0') ? '1' : '0'
  const typo = await exchange(url, pat.slice(0, -1) + last, 'models:read')
  show(typo.body)
  expectThat(typo.status === 400 && typo.body['error'] === 'invalid_request', 'a PAT with a typo is refused')
  const wide = await exchange(url, pat, 'models:write')
  show(wide.body)
  expectThat(wide.body['error'] === 'invalid_scope', 'a scope Jane does not hold is refused')
  const [header, payload, signature = ''] = token.split('.')
  const forged = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  const error = await verifier.verify(forged).catch((cause: unknown) => cause)
  expectThat(error instanceof VerifyError && error.code === 'signature_invalid', 'a forged token is refused')
}

const dataDir = mkdtempSync(join(tmpdir(), `patmint-demo-${randomBytes(3).toString('hex')}-`))
let server: RunningServer | undefined
try {
  step('A server starts in an empty folder and applies a declarative file')
  const applyFile = join(dataDir, 'acme.yaml')
  writeFileSync(applyFile, DECLARATIVE)
  server = await startServer(dataDir, applyFile)
  await runSteps(dataDir, server)
  say('\nAll of it worked.')
} finally {
  if (server && server.process.exitCode === null) {
    server.process.kill('SIGTERM')
    await once(server.process, 'exit')
  }
  rmSync(dataDir, { recursive: true, force: true })
}
