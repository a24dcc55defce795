// What `npm pack` ships, installed into an empty folder and used as a stranger would.

import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { REPOSITORY, run } from './shell.ts'
import {
  expectToCompile,
  expectToVerify,
  installInto,
  RESOLUTIONS,
  writeConsumer,
} from './verify-consumer.ts'

const packed = z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })
/** A list up to npm 11, then a record by package name. */
const packReport = z.union([z.array(packed), z.record(z.string(), packed)])

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
    await installInto(installed, join(folder, report?.filename ?? ''))
    await writeConsumer(installed, 'patmint/verify')
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

  it('verifies, refuses and guards from plain JavaScript', () => expectToVerify(installed))

  it.each(RESOLUTIONS)(
    'type-checks with every check on under $moduleResolution with the types of $lib $types',
    (resolution) => expectToCompile(installed, resolution),
  )

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
