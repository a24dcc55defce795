// What `npm pack` ships, installed into an empty folder and used as a stranger would.

import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { REPOSITORY, run } from './shell.ts'

const packed = z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })
/** A list up to npm 11, then a record by package name. */
const packReport = z.union([z.array(packed), z.record(z.string(), packed)])

const ISSUER = 'https://sts.example.test'
const AUDIENCE = 'https://api.example.com'

const JAVASCRIPT = `
import { readFileSync } from 'node:fs'
import { createVerifier, VerifyError } from 'patmint/verify'

const { token, jwks } = JSON.parse(readFileSync('token.json', 'utf8'))
const verifier = createVerifier({
  issuer: '${ISSUER}',
  audience: '${AUDIENCE}',
  statusList: null,
  fetch: async () => new Response(JSON.stringify(jwks)),
})
const { sub } = await verifier.verify(token)
const code = await verifier.verify(token.slice(0, -10) + 'AAAAAAAAAA').catch((error) => error instanceof VerifyError && error.code)
console.log(JSON.stringify({ sub, code }))
`

const TYPESCRIPT = `
import { createVerifier, requireScope, VerifyError, type VerifiedClaims, type Verifier, type VerifyErrorCode } from 'patmint/verify'

const verifier: Verifier = createVerifier({ issuer: '${ISSUER}', audience: '${AUDIENCE}' })

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

// @ts-expect-error the audience is named, or given up by an explicit null
createVerifier({ issuer: '${ISSUER}' })
`

describe('the npm package', () => {
  let folder: string
  let installed: string
  let files: string[]

  /** A checkout that was built before, when it had other files. */
  async function copyRepository(checkout: string): Promise<void> {
    const left = new Set(['.git', '.patmint', 'dist', 'node_modules'])
    await cp(REPOSITORY, checkout, {
      recursive: true,
      filter: (path) => dirname(path) !== REPOSITORY || !left.has(basename(path)),
    })
    await symlink(join(REPOSITORY, 'node_modules'), join(checkout, 'node_modules'))
    await mkdir(join(checkout, 'dist'))
    await writeFile(join(checkout, 'dist', 'of-last-week.js'), '')
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'patmint-package-'))
    const checkout = join(folder, 'checkout')
    await copyRepository(checkout)
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], checkout)
    const [report] = Object.values(packReport.parse(JSON.parse(stdout.slice(stdout.search(/^[[{]/m)))))
    files = report?.files.map(({ path }) => path) ?? []
    installed = join(folder, 'installed')
    await mkdir(installed)
    await writeFile(join(installed, 'package.json'), '{ "private": true, "type": "module" }')
    await run('npm', ['install', join(folder, report?.filename ?? '')], installed)
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('holds the build, the migrations, the binaries and the configuration examples, and no source or test', () => {
    const tops = new Set(files.map((path) => path.split('/')[0]))
    expect([...tops].filter((top) => top !== 'README.md').sort()).toEqual([
      'LICENSE',
      'bin',
      'config',
      'dist',
      'migrations',
      'package.json',
    ])
    expect(files.filter((path) => /(?<!\.d)\.tsx?$|(^|\/)test\/|\.map$/.test(path))).toEqual([])
  })

  it('holds nothing of an earlier build', () => {
    expect(files).not.toContain('dist/of-last-week.js')
    expect(files).toContain('dist/verify/index.d.ts')
  })

  it('verifies a token from plain JavaScript, and refuses a forged one', async () => {
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
    await writeFile(join(installed, 'token.json'), JSON.stringify({ token, jwks }))
    await writeFile(join(installed, 'consumer.js'), JAVASCRIPT)
    const { stdout } = await run('node', ['consumer.js'], installed)
    expect(JSON.parse(stdout)).toEqual({ sub: 'user-1', code: 'signature_invalid' })
  })

  it.each([
    { module: 'nodenext', moduleResolution: 'nodenext' },
    { module: 'esnext', moduleResolution: 'bundler' },
  ])('type-checks with every check on under $moduleResolution', async (resolution) => {
    const compilerOptions = {
      ...resolution,
      target: 'es2022',
      lib: ['es2022', 'dom'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
    }
    const project = join(installed, `tsconfig.${resolution.moduleResolution}.json`)
    await writeFile(project, JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
    await writeFile(join(installed, 'consumer.ts'), TYPESCRIPT)
    const tsc = join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc')
    expect(await run('node', [tsc, '-p', project], installed)).toEqual({ stdout: '', stderr: '' })
  })

  it('gives nobody its insides', async () => {
    await expect(run('node', ['-e', "import('patmint/dist/server/main.js')"], installed)).rejects.toThrow(
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    )
  })

  it('brings the CLI and the server as commands', async () => {
    const version = await run('npx', ['--no-install', 'patmint', '--version'], installed)
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    const help = await run('npx', ['--no-install', 'patmint-server', '--help'], installed)
    expect(help.stdout).toMatch(/^Usage: patmint-server .*\n[\s\S]*serve[\s\S]*migrate[\s\S]*apply/)
  })
})
