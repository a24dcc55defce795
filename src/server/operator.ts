// The operator's one-off commands migrate and apply, and what all of them stand on. They work on whatever database the configuration names, also
// on the embedded one of a server that is running.

import { describeReplacement } from './api/policy-record.ts'
import { installNotices } from './compose-notices.ts'
import type { Config, SecretKeys } from './config/config.ts'
import { loadOrCreateSecretKey, prepareDataDir } from './config/data-dir.ts'
import { type Database, openDatabase, PATIENT_TIMEOUTS } from './db/database.ts'
import { findRunningDatabase, startEmbeddedPostgres } from './db/embedded/embedded-postgres.ts'
import { migrate } from './db/migrator.ts'
import { applyDeclarations, readDeclarations } from './directory/apply/apply.ts'
import type { DeclarativeFile } from './directory/apply/read-file.ts'
import { ensureBuiltIns, hasBuiltIns } from './directory/built-in.ts'
import type { Logger } from './http/log.ts'
import { appendAuditEvents, ensureAuditPartitions } from './ledger/store.ts'
import { deriveKeys } from './secret/secret-keys.ts'

export interface OperatorContext {
  readonly config: Config
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  readonly clock: () => Date
}

/** What Postgres grants by default. */
const POSTGRES_CONNECTIONS = 100
/** The primary, the owner of the embedded database, a command beside the server, those reserved for superusers. */
const OTHER_CONNECTIONS = 10

/** Something the operator must mend: one line per problem. */
export class UsageProblems extends Error {
  readonly problems: readonly string[]

  constructor(message: string, problems: readonly string[]) {
    super(message)
    this.problems = problems
  }
}

/** The secret keys: configured, or those of the data folder. */
export const resolveSecretKeys = (config: Config): SecretKeys =>
  config.secretKeys ?? loadOrCreateSecretKey(config.dataDir)

/** The issuer when none is configured. */
export const defaultIssuer = (port: number): string => `http://localhost:${port}`

/** Migrates the database; gives a line per migration that ran. */
export async function migrateCommand(context: OperatorContext): Promise<string[]> {
  return withSharedDatabase(context, async (url) => {
    const applied = await migrateDatabase(url)
    await installNotices(context.config, url)
    return applied.length > 0 ? applied.map((name) => `applied ${name}`) : ['nothing to migrate']
  })
}

/** Applies declarative files; gives a line per change. Throws `UsageProblems` when they cannot be applied. */
export async function applyCommand(context: OperatorContext, paths: readonly string[]): Promise<string[]> {
  const files = readFiles(context, paths)
  return withSharedDatabase(context, async (url) => {
    await migrateDatabase(url)
    const db = openDatabase({ url, maxConnections: 2, timeouts: PATIENT_TIMEOUTS })
    try {
      // Built-ins follow the issuer of the server; this command makes them only where no server ever ran.
      const issuer = context.config.issuer ?? defaultIssuer(context.config.port)
      // Not worth failing for: a record without a partition of its month goes to the default one.
      await ensureAuditPartitions(db, context.clock()).catch((error: unknown) => {
        context.log.warn({ err: error }, 'audit partitions not made')
      })
      if (!(await hasBuiltIns(db)))
        await db.transaction().execute((transaction) => ensureBuiltIns(transaction, issuer, context.clock()))
      return await applyRecorded(context, db, files)
    } finally {
      await db.destroy()
    }
  })
}

/** Migrates, or says which database cannot be used: its name, never its password. */
export async function migrateDatabase(url: string): Promise<string[]> {
  try {
    return await migrate(url)
  } catch (cause) {
    const { host, pathname } = new URL(url)
    throw new Error(`cannot use the database ${host}${pathname}`, { cause })
  }
}

/** Reads declarative files. Throws `UsageProblems` when they cannot be read, before anything was touched. */
export function readFiles({ env }: OperatorContext, paths: readonly string[]): DeclarativeFile[] {
  const read = readDeclarations(paths, env)
  if (!read.ok) throw new UsageProblems('nothing was applied', read.error)
  return read.value
}

/** One apply, recorded in the ledger. Throws `UsageProblems` when the files contradict themselves or the database. */
export async function applyRecorded(
  { config, clock }: OperatorContext,
  db: Database,
  files: readonly DeclarativeFile[],
): Promise<string[]> {
  const now = clock()
  const applied = await applyDeclarations(db, files, {
    now,
    clientSecretKeys: deriveKeys(resolveSecretKeys(config), 'client-secret'),
    record: (transaction, changes, policies) => {
      const by = { occurredAt: now, actor: 'operator' } as const
      return appendAuditEvents(transaction, [
        { type: 'configuration.applied', ...by, detail: { changes } },
        ...policies.map((replaced) => ({ ...describeReplacement(replaced), ...by })),
      ])
    },
  })
  if (!applied.ok) throw new UsageProblems('nothing was applied', applied.error)
  return applied.value.length > 0 ? applied.value : ['nothing to change']
}

/** Connections an instance may have at once: during a rolling restart a worker more than usual, and a few besides. */
const countConnections = ({ workers, databasePoolSize }: Config): number =>
  Math.max(POSTGRES_CONNECTIONS, (workers + 1) * databasePoolSize + OTHER_CONNECTIONS)

/** Runs `task` on the configured database, starting the embedded one for as long as that takes. */
export async function withDatabase<T>(
  { config, log }: OperatorContext,
  task: (url: string) => Promise<T>,
): Promise<T> {
  if (config.databaseUrl !== undefined) return task(config.databaseUrl)
  prepareDataDir(config.dataDir)
  const embedded = await startEmbeddedPostgres({
    dataDir: config.dataDir,
    flags: [`max_connections=${countConnections(config)}`],
    log: (line) => log.debug({ line }, 'embedded postgres'),
  })
  try {
    return await task(embedded.url)
  } finally {
    await embedded.stop()
  }
}

/** The same beside a server that runs the embedded database: a command works on it and leaves it running. */
export async function withSharedDatabase<T>(
  context: OperatorContext,
  task: (url: string) => Promise<T>,
): Promise<T> {
  const { databaseUrl, dataDir } = context.config
  const running = databaseUrl === undefined ? await findRunningDatabase(dataDir) : null
  return running === null ? withDatabase(context, task) : task(running)
}
