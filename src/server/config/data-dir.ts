// The data folder: 0700, its files 0600. Generated secrets live here and nowhere else.

import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { SecretKeys } from './config.ts'

const SECRET_KEY_FILE = 'secret-key'
const SECRET_KEY_BYTES = 32

/** Makes the folder, or takes everyone else's access to an existing one away. */
export function prepareDataDir(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  if ((statSync(dataDir).mode & 0o077) !== 0) chmodSync(dataDir, 0o700)
}

/** Writes a secret only its owner can read. Returns the path; an existing file is replaced. */
export function writeSecretFile(dataDir: string, name: string, secret: string): string {
  prepareDataDir(dataDir)
  const path = join(dataDir, name)
  writeFileSync(path, `${secret}\n`, { mode: 0o600 })
  chmodSync(path, 0o600)
  return path
}

/** The secret key of this data folder, made on first use. Two processes starting at once agree on one. */
export function loadOrCreateSecretKey(dataDir: string): SecretKeys {
  prepareDataDir(dataDir)
  const path = join(dataDir, SECRET_KEY_FILE)
  if (!existsSync(path)) createSecretKey(path)
  chmodSync(path, 0o600)
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url')
  if (key.length !== SECRET_KEY_BYTES) throw new Error(`${path} does not hold 32 bytes in base64url`)
  return Object.freeze([key] as const)
}

/** Written elsewhere and then linked: nobody sees half a key, and of several processes one gives its own. */
function createSecretKey(path: string): void {
  const scratch = `${path}.new-${randomBytes(8).toString('hex')}`
  try {
    writeFileSync(scratch, `${randomBytes(SECRET_KEY_BYTES).toString('base64url')}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    })
    linkSync(scratch, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(scratch, { force: true })
  }
}
