// What `npm run pack:verify` ships, `@patmint/verify`, installed into an empty folder and used as a stranger would.

import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBlocks } from '../support/document.ts'
import { REPOSITORY, run } from './shell.ts'
import {
  expectToCompile,
  expectToVerify,
  installInto,
  RESOLUTIONS,
  writeConsumer,
} from './verify-consumer.ts'

const LIBRARY = '@patmint/verify'
/** What the library imports of the rest; everything else there is the server's. */
const IMPORTED = [
  'dpop/proof',
  'dpop/request-uri',
  ...[
    'access-token',
    'authorization-details',
    'dpop',
    'json-object',
    'result',
    'rsa-exponent',
    'scope',
    'status-list',
  ].map((name) => `protocol/${name}`),
]

const readManifest = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

let folder: string
let installed: string
let shipped: string
let files: string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patmint-verify-package-'))
  await run('npm', ['run', '--silent', 'pack:verify', '--', '--pack-destination', folder], REPOSITORY)
  const [tarball = ''] = await readdir(folder)
  installed = join(folder, 'installed')
  await installInto(installed, join(folder, tarball))
  shipped = join(installed, 'node_modules', LIBRARY)
  const entries = await readdir(shipped, { recursive: true, withFileTypes: true })
  files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(shipped.length + 1))
  await writeConsumer(installed, LIBRARY)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the package of the library', () => {
  it('holds the library and what it imports, built and with types, and nothing of the server', async () => {
    const sources = (await readdir(join(REPOSITORY, 'src/verify'))).filter((name) => name.endsWith('.ts'))
    const built = [...sources.map((name) => `verify/${name.slice(0, -3)}`), ...IMPORTED]
    const expected = built.flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`])
    expect(files.sort()).toEqual(['LICENSE', 'README.md', 'package.json', ...expected].sort())
  })

  it('depends on jose alone, and brings nothing else', async () => {
    const { dependencies, optionalDependencies, peerDependencies, scripts, type } = readManifest(shipped)
    expect({ dependencies, optionalDependencies, peerDependencies, scripts, type }).toEqual({
      dependencies: { jose: `^${readManifest(REPOSITORY).dependencies.jose}` },
      type: 'module',
    })
    const beside = (await readdir(join(installed, 'node_modules'))).filter((name) => !name.startsWith('.'))
    expect(beside).toEqual(['@patmint', 'jose'])
  })

  it('has the version and the entry points of the whole package', () => {
    const { version, exports: whole } = readManifest(REPOSITORY)
    const { version: own, exports: alone } = readManifest(shipped)
    expect(own).toBe(version)
    const names = Object.keys(whole).map((name) => name.replace('./verify', '.'))
    expect(Object.keys(alone).sort()).toEqual(names.sort())
  })

  it('needs nothing that only Node.js has', () => {
    const code = files.filter((name) => name.endsWith('.js'))
    const specific = /\brequire\(|\bprocess\.\w|\bBuffer\b|\b__dirname\b/
    expect(code.filter((name) => specific.test(readFileSync(join(shipped, name), 'utf8')))).toEqual([])
    const imports = code.flatMap((name) => [
      ...readFileSync(join(shipped, name), 'utf8').matchAll(/(?:from|import) ?\(?['"]([^.'"][^'"]*)['"]/g),
    ])
    expect([...new Set(imports.map(([, specifier]) => specifier))]).toEqual(['jose'])
  })

  it.each([22, 24])('verifies, refuses and guards from plain JavaScript on Node.js %d', async (major) => {
    const runtimes = join(folder, `node-${major}`)
    const program = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
    await installInto(runtimes, `${program}@${major}`)
    const node = join(runtimes, 'node_modules', program, 'bin', 'node')
    expect((await run(node, ['--version'], folder)).stdout).toMatch(new RegExp(`^v${major}\\.`))
    await expectToVerify(installed, node)
  })

  it.for([
    {
      name: 'Deno',
      package: '@deno/linux-x64-glibc',
      version: '2.9.6',
      program: 'deno',
      args: ['run', '--allow-read=.'],
    },
    { name: 'Bun', package: '@oven/bun-linux-x64', version: '1.4.5', program: 'bin/bun', args: ['run'] },
  ])(
    'verifies, refuses and guards on $name',
    async ({ name, package: runtime, version, program, args }, { skip }) => {
      if (`${process.platform}-${process.arch}` !== 'linux-x64') skip('its package is another one here')
      const runtimes = join(folder, name)
      await installInto(runtimes, `${runtime}@${version}`)
      await expectToVerify(installed, join(runtimes, 'node_modules', runtime, program), ...args)
    },
  )

  it.each(RESOLUTIONS)(
    'type-checks with every check on under $moduleResolution with the types of $lib $types',
    (resolution) => expectToCompile(installed, resolution),
  )

  it('type-checks as its README has it', async () => {
    const blocks = readBlocks('src/verify/README.md', 'ts')
    expect(blocks).toHaveLength(2)
    const names = blocks.map((_, index) => `readme-${index}.ts`)
    await Promise.all(names.map((name, index) => writeFile(join(installed, name), blocks[index] ?? '')))
    for (const resolution of RESOLUTIONS.slice(0, 1)) await expectToCompile(installed, resolution, names)
  })

  it('gives nobody its insides', async () => {
    const insides = ['-e', "import('@patmint/verify/dist/verify/remote-keys.js')"]
    await expect(run('node', insides, installed)).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})
