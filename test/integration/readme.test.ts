// The README's own commands and snippets, run as they stand against a server, as a newcomer would.

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localize, readBlocks, readLinks, runCommand, runShell } from '../support/document.ts'
import { canary } from '../support/evidence.ts'
import { newDataDir, type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { createTestDatabase } from '../support/test-database.ts'

let server: ServerProcess
let variables: Record<string, string>
beforeAll(async () => {
  variables = {
    PATMINT_CONFIG: '/dev/null',
    PATMINT_DATABASE_URL: await createTestDatabase(),
    PATMINT_SECRET_KEY: canary('cmVhZG1lLXJlYWRtZS1yZWFkbWUtcmVhZG1lLXJlYWQ'),
    PATMINT_DATA_DIR: newDataDir(),
  }
  server = await startServerProcess(variables)
})
afterAll(() => server.stop())

const blocks = (language: string): string[] =>
  readBlocks('README.md', language).map((code) => localize(code, server))
const shell = (script: string): Promise<string> => runShell(script, variables)
const run = (command: string, args: readonly string[]): Promise<string> =>
  runCommand(command, args, variables)

const readSecret = (name: string): string => canary(readFileSync(`${server.dataDir}/${name}`, 'utf8').trim())

describe('the README', () => {
  it('takes a newcomer from nothing to a JWT', async () => {
    const [apply = '', issue = '', exchange = '', cli = ''] = blocks('bash')
    expect(await shell(apply)).toContain('created user jane@acme.test (id ')
    await shell(issue)
    expect(readSecret('jane-pat')).toMatch(/^pat_[0-9a-f]{64}$/)
    expect(JSON.parse(await shell(exchange))).toMatchObject({
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'models/m1:read',
    })
    await shell(cli)
    expect(readSecret('jwt')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  it('verifies that JWT in Node', async () => {
    const [snippet = ''] = blocks('js')
    const library = pathToFileURL(resolve('src/verify/index.ts')).href
    const file = `${server.dataDir}/verify.mjs`
    const code = snippet.replace("'patmint/verify'", JSON.stringify(library))
    const token = JSON.stringify(readSecret('jwt'))
    writeFileSync(file, `const token = ${token}\n${code}\nconsole.log(claims.org)\n`, { mode: 0o600 })
    expect(await run(process.execPath, [file])).toBe('acme\n')
  })

  it('verifies that JWT in Python', async ({ skip }) => {
    const python = process.env['PYTHON'] ?? '/usr/bin/python3'
    const hasPyJwt = await run(python, ['-c', 'import jwt, cryptography']).then(
      () => true,
      () => false,
    )
    if (!hasPyJwt) skip(`${python} has no PyJWT: install python3-jwt and python3-cryptography`)
    const [snippet = ''] = blocks('python')
    const file = `${server.dataDir}/verify.py`
    const token = JSON.stringify(readSecret('jwt'))
    writeFileSync(file, `token = ${token}\n${snippet}\nprint(claims["org"])\n`, { mode: 0o600 })
    expect(await run(python, [file])).toBe('acme\n')
  })

  it('takes the PAT back', async () => {
    const [, , exchange = '', , revoke = ''] = blocks('bash')
    expect(await shell(revoke)).toBe('')
    expect(JSON.parse(await shell(exchange))).toEqual({
      error: 'invalid_request',
      error_description: 'subject_token is not valid',
    })
  })

  it('names only files that exist', () => {
    const links = readLinks('README.md')
    expect(links.length).toBeGreaterThan(5)
    for (const path of links) expect(() => readFileSync(path)).not.toThrow()
  })
})
