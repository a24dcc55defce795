// `patmint verify` as a process: what a script sees of it. The issuer is a fake; the real one is asked in examples.test.ts.

import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { environment } from '../../support/server-process.ts'
import { AUDIENCE, serveIssuer } from '../../unit/verify/issuer-fixture.ts'

/** Runs it with `piped` on stdin. */
async function verify(issuer: string, args: readonly string[], piped = '') {
  const child = spawn(process.execPath, [resolve('bin/patmint.js'), 'verify', ...args], {
    env: environment({ PATMINT_ISSUER: issuer }),
    stdio: 'pipe',
  })
  const closed = new Promise<number | null>((done) => child.on('close', done))
  child.stdin.end(piped)
  const [out, err, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { out, err, exitCode }
}

describe('patmint verify', () => {
  it('takes a token from the command line or a pipe, and ends as soon as it has told', async () => {
    await using issuer = await serveIssuer()
    const token = await issuer.issue()
    const args = ['--json', '--audience', AUDIENCE]
    for (const ran of [
      await verify(issuer.url, [token, ...args]),
      await verify(issuer.url, args, `${token}\n`),
    ]) {
      expect([ran.exitCode, ran.err]).toEqual([0, ''])
      expect(JSON.parse(ran.out)).toMatchObject({
        valid: true,
        audience_checked: true,
        claims: { aud: AUDIENCE },
      })
    }
    expect(issuer.requests).toEqual(
      [1, 2].flatMap(() => ['/.well-known/jwks.json', '/oauth2/status-lists/0']),
    )
  })

  it('exits with 1 once the credential is revoked, 2 without a token, 3 without an issuer', async () => {
    const issuer = await serveIssuer()
    const token = await issuer.issue()
    issuer.statuses = [[7, 1]]
    const revoked = await verify(issuer.url, [token])
    const nothing = await verify(issuer.url, [])
    await issuer[Symbol.asyncDispose]()
    const away = await verify(issuer.url, [token])
    expect(
      [revoked, nothing, away].map(({ exitCode, out, err }) => [exitCode, out, err.split('\n')[0]]),
    ).toEqual([
      [1, '', 'error: token_revoked: The credential behind the token was revoked'],
      [2, '', 'error: there is no JWT: pass it as an argument or on stdin'],
      [3, '', 'error: keys_unavailable: The keys of the issuer are not available'],
    ])
  })
})
