// A migrated database with its built-ins, and declarative files to apply to it, for one test.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { test } from 'vitest'
import { loadConfig } from '../../../src/server/config/config.ts'
import { type Database, openDatabase, PATIENT_TIMEOUTS } from '../../../src/server/db/database.ts'
import { migrate } from '../../../src/server/db/migrator.ts'
import { ensureBuiltIns } from '../../../src/server/directory/built-in.ts'
import { ensureAuditPartitions } from '../../../src/server/ledger/store.ts'
import { applyRecorded, readFiles, UsageProblems } from '../../../src/server/operator.ts'
import { newSecretKey } from '../../support/server-process.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'

export type Outcome = { readonly changes: readonly string[] } | { readonly problems: readonly string[] }

export const NOTHING: Outcome = { changes: ['nothing to change'] }
export const ISSUER = 'https://sts.example.test'

export class Workbench {
  readonly db: Database
  readonly #url: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'patmint-apply-'))
  #written = 0
  /** Secret key, as PATMINT_SECRET_KEY has it. */
  secretKey = newSecretKey()
  env: Record<string, string> = {}
  now = new Date('2026-03-01T12:00:00Z')

  constructor(url: string) {
    this.#url = url
    this.db = openDatabase({ url, timeouts: PATIENT_TIMEOUTS })
  }

  async prepare(): Promise<void> {
    await migrate(this.#url)
    await ensureAuditPartitions(this.db, this.now)
    await this.db.transaction().execute((transaction) => ensureBuiltIns(transaction, ISSUER, this.now))
  }

  /** Applies files of these texts together; problems call them `1.yaml`, `2.yaml` and so on. */
  async apply(...texts: readonly string[]): Promise<Outcome> {
    const folder = join(this.#folder, String(this.#written++))
    const paths = texts.map((text, index) => this.#write(`${folder}-${index + 1}.yaml`, text))
    const outcome = await this.applyPaths(...paths)
    const shorten = (line: string): string => line.replaceAll(`${folder}-`, '')
    return 'problems' in outcome ? { problems: outcome.problems.map(shorten) } : outcome
  }

  async applyPaths(...paths: readonly string[]): Promise<Outcome> {
    const config = loadConfig({
      PATMINT_CONFIG: '/dev/null',
      PATMINT_DATABASE_URL: this.#url,
      PATMINT_SECRET_KEY: this.secretKey,
    })
    if (!config.ok) throw new Error(config.error.join('\n'))
    const log = pino({ level: 'silent' })
    const context = { config: config.value, env: this.env, log, clock: () => this.now }
    try {
      return { changes: await applyRecorded(context, this.db, readFiles(context, paths)) }
    } catch (error) {
      if (error instanceof UsageProblems) return { problems: error.problems }
      throw error
    }
  }

  /** The rows a statement gives, for what the query builder does not know. */
  query(text: string, values: readonly unknown[] = []): Promise<unknown[]> {
    return withClient(this.#url, async (client) => (await client.query(text, [...values])).rows)
  }

  /** Every row of every table. */
  dump(): Promise<string> {
    return withClient(this.#url, async (client) => {
      const { rows: tables } = await client.query<{ name: string }>(
        `select quote_ident(tablename) as name from pg_tables where schemaname = 'public' order by 1`,
      )
      const parts: string[] = []
      for (const { name } of tables) {
        const { rows } = await client.query<{ row: string }>(
          `select t::text as row from only ${name} t order by 1`,
        )
        parts.push(name, ...rows.map(({ row }) => row))
      }
      return parts.join('\n')
    })
  }

  async close(): Promise<void> {
    await this.db.destroy()
    rmSync(this.#folder, { recursive: true })
  }

  #write(path: string, text: string): string {
    writeFileSync(path, text)
    return path
  }
}

/** `it` whose tests get a workbench of their own. */
export const it = test.extend<{ workbench: Workbench }>({
  workbench: async ({ onTestFinished }, use) => {
    const workbench = new Workbench(await createTestDatabase())
    onTestFinished(() => workbench.close())
    await workbench.prepare()
    await use(workbench)
  },
})
