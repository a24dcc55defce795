// The README's own commands and snippets, run as they stand against a server, as a newcomer would.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canary } from '../support/evidence.ts'
import { environment, newDataDir, type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { createTestDatabase } from '../support/test-database.ts'

const README = readFileSync('README.md', 'utf8')

const blocks = (language: string): string[] =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, code]) => code ?? '',
  )

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

/** The text with this server in place of the one on the README's port, and this data folder for its. */
const localize = (code: string): string =>
  code.replaceAll('http://localhost:8693', server.issuer).replaceAll('.patmint/', `${server.dataDir}/`)

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { env: environment(variables), stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`exit code ${code}: ${errors}`)
  return output
}

const readSecret = (name: string): string => canary(readFileSync(`${server.dataDir}/${name}`, 'utf8').trim())

describe('the README', () => {
  it('takes a newcomer from nothing to a JWT', async () => {
    const [apply = '', issue = '', exchange = '', cli = ''] = blocks('bash').map(localize)
    expect(await run('bash', ['-euo', 'pipefail', '-c', apply])).toContain('created user jane@acme.test (id ')
    await run('bash', ['-euo', 'pipefail', '-c', issue])
    expect(readSecret('jane-pat')).toMatch(/^pat_[0-9a-f]{64}$/)
    expect(JSON.parse(await run('bash', ['-euo', 'pipefail', '-c', exchange]))).toMatchObject({
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'models/m1:read',
    })
    await run('bash', ['-euo', 'pipefail', '-c', cli])
    expect(readSecret('jwt')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  it('verifies that JWT in Node', async () => {
    const [snippet = ''] = blocks('js')
    const library = pathToFileURL(resolve('src/verify/index.ts')).href
    const file = `${server.dataDir}/verify.mjs`
    const code = localize(snippet).replace("'patmint/verify'", JSON.stringify(library))
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
    writeFileSync(file, `token = ${token}\n${localize(snippet)}\nprint(claims["org"])\n`, { mode: 0o600 })
    expect(await run(python, [file])).toBe('acme\n')
  })

  it('takes the PAT back', async () => {
    const [, , exchange = '', , revoke = ''] = blocks('bash').map(localize)
    expect(await run('bash', ['-euo', 'pipefail', '-c', revoke])).toBe('')
    expect(JSON.parse(await run('bash', ['-euo', 'pipefail', '-c', exchange]))).toEqual({
      error: 'invalid_request',
      error_description: 'subject_token is not valid',
    })
  })

  it('names only files that exist', () => {
    const links = [...README.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => path ?? '')
    expect(links.length).toBeGreaterThan(5)
    for (const path of links) expect(() => readFileSync(path)).not.toThrow()
  })
})
