// Finds the Postgres programs that npm installed for this platform. Not used: the wrapper class around them, which
// hooks into process exit, lets Ctrl-C reach Postgres before the server has drained, writes the password to a
// world-readable file and cannot take over a running database.

import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { pathToFileURL } from 'node:url'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

const INSTEAD = 'or set PATMINT_DATABASE_URL to use a Postgres of your own'

/** Absolute paths of the programs. Fails with `platform_unsupported` or `binaries_missing`. */
export async function locateBinaries(
  target: { platform: string; arch: string } = { platform: platform(), arch: arch() },
): Promise<Binaries> {
  if (target.platform !== 'linux' && target.platform !== 'darwin') {
    throw new EmbeddedPostgresError(
      'platform_unsupported',
      `The embedded Postgres runs on Linux and macOS: use one of them, ${INSTEAD}`,
    )
  }
  const name = `@embedded-postgres/${target.platform}-${target.arch}`
  const found = await importFromWrapper(name)
  if (!isBinaries(found)) {
    throw new EmbeddedPostgresError('binaries_missing', `${name} names no initdb and postgres: ${INSTEAD}`)
  }
  return { initdb: found.initdb, postgres: found.postgres }
}

async function importFromWrapper(name: string): Promise<unknown> {
  try {
    // The platform package is a dependency of embedded-postgres, not ours: not every installer lets us see it.
    const fromHere = createRequire(import.meta.url)
    const fromWrapper = createRequire(fromHere.resolve('embedded-postgres'))
    return await import(pathToFileURL(fromWrapper.resolve(name)).href)
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'binaries_missing',
      `The optional package ${name} is not installed: install optional dependencies, ${INSTEAD}`,
      { cause },
    )
  }
}

const isBinaries = (found: unknown): found is Binaries =>
  typeof found === 'object' &&
  found !== null &&
  'initdb' in found &&
  typeof found.initdb === 'string' &&
  'postgres' in found &&
  typeof found.postgres === 'string'
