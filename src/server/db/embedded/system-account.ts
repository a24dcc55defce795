// The unprivileged account that Postgres runs as when Patmint itself runs as root, which Postgres refuses.

import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'

export interface AccountIds {
  readonly uid: number
  readonly gid: number
}

const NAME = 'postgres'
const run = promisify(execFile)

/** The owner of an existing cluster, else the `postgres` user, which is created when the system has none. */
export async function obtainAccount(cluster: string): Promise<AccountIds> {
  return (await readOwner(cluster)) ?? (await lookUpAccount()) ?? (await createAccount())
}

async function readOwner(cluster: string): Promise<AccountIds | undefined> {
  const owner = await stat(cluster).catch(() => undefined)
  return owner === undefined || owner.uid === 0 ? undefined : { uid: owner.uid, gid: owner.gid }
}

async function lookUpAccount(): Promise<AccountIds | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', NAME]), run('id', ['-g', NAME])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}

async function createAccount(): Promise<AccountIds> {
  try {
    await run('groupadd', ['--system', '--force', NAME])
    await run('useradd', [
      '--system',
      '--gid',
      NAME,
      '--no-create-home',
      '--shell',
      '/usr/sbin/nologin',
      NAME,
    ])
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'account_unusable',
      `Postgres refuses to run as root, and the user "${NAME}" could not be created: run Patmint as an ordinary user, or create "${NAME}"`,
      { cause },
    )
  }
  const created = await lookUpAccount()
  if (created) return created
  throw new EmbeddedPostgresError('account_unusable', `The user "${NAME}" was created but cannot be found`)
}
