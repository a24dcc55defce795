// The CLI as a process: what a script sees of it. The token endpoint is a fake; the real one has its own tests.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  answerJson,
  findClosedOrigin,
  JWT,
  PAT,
  RESPONSE,
  serveTokenEndpoint,
} from '../../unit/cli/token-endpoint-fixture.ts'

const LAUNCHER = fileURLToPath(new URL('../../../bin/patmint.js', import.meta.url))
const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const MANIFEST: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))

/** Runs the CLI with this environment and no other, and searches all it prints for the PAT. */
async function runProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  script = LAUNCHER,
) {
  const child = spawn(process.execPath, [script, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = new Promise<number | null>((resolve, reject) =>
    child.on('error', reject).on('close', resolve),
  )
  const [out, err, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  expect(out + err).not.toContain(PAT)
  return { out, err, exitCode }
}

const environmentFor = (issuer: string) => ({ PATMINT_ISSUER: issuer, PATMINT_TOKEN: PAT })

describe('patmint token', () => {
  it('swaps the PAT of the environment for a JWT on stdout', async () => {
    await using endpoint = await serveTokenEndpoint(answerJson(200, RESPONSE))
    const args = ['token', '--audience', 'https://api.example.com', '--scope', 'models:read']
    expect(await runProcess(args, environmentFor(endpoint.issuer))).toEqual({
      out: `${JWT}\n`,
      err: '',
      exitCode: 0,
    })
    expect(endpoint.seen.map(({ method, url, body }) => ({ method, url, body }))).toEqual([
      {
        method: 'POST',
        url: '/oauth2/token',
        body:
          'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&client_id=patmint-cli' +
          `&subject_token=${PAT}&subject_token_type=urn%3Apatmint%3Atoken-type%3Apat` +
          '&audience=https%3A%2F%2Fapi.example.com&scope=models%3Aread',
      },
    ])
  })

  it('states its name and version to the server', async () => {
    await using endpoint = await serveTokenEndpoint(answerJson(200, RESPONSE))
    await runProcess(['token'], environmentFor(endpoint.issuer))
    const { version } = MANIFEST as { version: string }
    expect(endpoint.seen[0]?.headers['user-agent']).toBe(`patmint-cli/${version}`)
  })

  it('prints the response with --json, and repeats --audience', async () => {
    await using endpoint = await serveTokenEndpoint(answerJson(200, RESPONSE))
    const args = ['token', '--json', '--audience', 'https://a', '--audience', 'https://b']
    expect(await runProcess(args, environmentFor(endpoint.issuer))).toEqual({
      out: `${JSON.stringify(RESPONSE)}\n`,
      err: '',
      exitCode: 0,
    })
    expect(new URLSearchParams(endpoint.seen[0]?.body).getAll('audience')).toEqual(['https://a', 'https://b'])
  })

  it('runs without the launcher too', async () => {
    await using endpoint = await serveTokenEndpoint(answerJson(200, RESPONSE))
    const result = await runProcess(['token'], environmentFor(endpoint.issuer), MAIN)
    expect(result).toEqual({ out: `${JWT}\n`, err: '', exitCode: 0 })
  })

  it('exits 1 when the server refuses', async () => {
    const body = { error: 'invalid_request', error_description: 'subject_token is not valid' }
    await using endpoint = await serveTokenEndpoint(answerJson(400, body))
    expect(await runProcess(['token'], environmentFor(endpoint.issuer))).toEqual({
      out: '',
      err:
        'error: invalid_request: subject_token is not valid\n' +
        'hint: PATMINT_TOKEN may be expired, revoked, or made by another issuer than PATMINT_ISSUER\n',
      exitCode: 1,
    })
  })

  it('keeps the PAT back even from a server that echoes it, and its escape sequences', async () => {
    const body = { error: 'invalid_request', error_description: `\u001b[31m${PAT} is wrong` }
    await using endpoint = await serveTokenEndpoint(answerJson(400, body))
    const { out, err, exitCode } = await runProcess(['token'], environmentFor(endpoint.issuer))
    expect({ out, exitCode }).toEqual({ out: '', exitCode: 1 })
    expect(err).toMatch(/^error: invalid_request: \[31m\[redacted\] is wrong\n/)
  })

  it('exits 2 without a PAT, having sent nothing', async () => {
    await using endpoint = await serveTokenEndpoint(answerJson(200, RESPONSE))
    const args = ['token', '--issuer', endpoint.issuer]
    const empty = 'error: PATMINT_TOKEN is empty: set it to a PAT (pat_…) or an API key (key_…)\n'
    expect(await runProcess(args)).toEqual({ out: '', err: empty, exitCode: 2 })
    const broken = 'error: PATMINT_TOKEN is not a PAT or an API key: was it copied whole?\n'
    expect(await runProcess(args, { PATMINT_TOKEN: `${PAT}0` })).toEqual({
      out: '',
      err: broken,
      exitCode: 2,
    })
    expect(endpoint.seen).toEqual([])
  })

  it('exits 2 for a PAT on the command line, without repeating it', async () => {
    const result = await runProcess(['token', `--token=${PAT}`], environmentFor('http://127.0.0.1:1'))
    expect(result).toEqual({ out: '', err: "error: unknown option '--token=[redacted]'\n", exitCode: 2 })
  })

  it('exits 3 when nothing listens', async () => {
    const issuer = await findClosedOrigin()
    expect(await runProcess(['token'], environmentFor(issuer))).toEqual({
      out: '',
      err: `error: cannot reach ${issuer}: ECONNREFUSED\nhint: is it running, and is that its URL?\n`,
      exitCode: 3,
    })
  })

  it.each([429, 503])('exits 3 when the server answers %d', async (status) => {
    await using endpoint = await serveTokenEndpoint(answerJson(status, {}, { 'retry-after': '5' }))
    expect(await runProcess(['token'], environmentFor(endpoint.issuer))).toEqual({
      out: '',
      err: `error: ${endpoint.issuer} answered ${status}\nhint: try again later (Retry-After: 5)\n`,
      exitCode: 3,
    })
  })

  it('exits 3 when the server redirects, and does not take the PAT there', async () => {
    await using elsewhere = await serveTokenEndpoint(answerJson(200, RESPONSE))
    const headers = { location: `${elsewhere.issuer}/oauth2/token` }
    await using endpoint = await serveTokenEndpoint(answerJson(307, {}, headers))
    const { out, exitCode } = await runProcess(['token'], environmentFor(endpoint.issuer))
    expect({ out, exitCode, seen: elsewhere.seen }).toEqual({ out: '', exitCode: 3, seen: [] })
  })
})

describe('patmint', () => {
  it('prints its version', async () => {
    const { version } = MANIFEST as { version: string }
    expect(await runProcess(['--version'])).toEqual({ out: `${version}\n`, err: '', exitCode: 0 })
  })

  it('prints its help on stdout', async () => {
    const result = await runProcess(['--help'])
    expect([result.exitCode, result.err]).toEqual([0, ''])
    expect(result.out).toMatch(/^Usage: patmint /)
  })

  it('exits 2 when called wrongly', async () => {
    const result = await runProcess(['nonsense'])
    expect(result).toEqual({ out: '', err: "error: unknown command 'nonsense'\n", exitCode: 2 })
  })
})
