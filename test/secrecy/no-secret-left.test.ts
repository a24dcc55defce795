// Runs after everything else: no credential, secret part of one, client secret or private key stands in any database
// the tests used, or in anything their servers printed at debug level.

import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { canaryFile } from '../support/evidence.ts'
import { databaseUrl, withClient } from '../support/test-database.ts'

const run = promisify(execFile)
const SEARCH_MS = 120_000
const MAX_DUMP_BYTES = 512 * 1024 * 1024

let secrets: Set<string>
let databases: string[]
const dumps = new Map<string, string>()

/** A dump by pg_dump where its version fits the server or the run insists, else every row of every table as text. */
async function dump(url: string): Promise<string> {
  try {
    return (await run('pg_dump', ['--inserts', url], { maxBuffer: MAX_DUMP_BYTES })).stdout
  } catch (error) {
    if (process.env['TEST_REQUIRE_PG_DUMP']) throw error
    return dumpRows(url)
  }
}

const dumpRows = (url: string): Promise<string> =>
  withClient(url, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'public'`,
    )
    const parts: string[] = []
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`select t::text as row from only ${name} t`)
      parts.push(name, ...rows.map(({ row }) => row))
    }
    return parts.join('\n')
  })

/** What must not be found: the canaries, and of credentials the secret part alone as well. */
function expandSecrets(canaries: readonly string[]): Set<string> {
  const parts = canaries.flatMap((secret) => {
    const match = /^(?:pat|key)_[0-9a-f]{16}([0-9a-f]{40})[0-9a-f]{8}$/.exec(secret)
    return match?.[1] ? [secret, match[1]] : [secret]
  })
  return new Set(parts)
}

const KEY_LENGTH = 12
const WORD = /[\w-]{20,}/g

/** The secrets in a text. Those that are one word are sought in its words: there are thousands, and the texts are long. */
function findSecrets(text: string): string[] {
  const isWord = (secret: string): boolean => secret.replace(WORD, '') === ''
  const found = [...secrets].filter((secret) => !isWord(secret) && text.includes(secret))
  const byStart = Map.groupBy([...secrets].filter(isWord), (secret) => secret.slice(0, KEY_LENGTH))
  for (const word of new Set(text.match(WORD) ?? []))
    for (let at = 0; at + KEY_LENGTH <= word.length; at += 1) {
      const candidates = byStart.get(word.slice(at, at + KEY_LENGTH)) ?? []
      found.push(...candidates.filter((secret) => word.startsWith(secret, at)))
    }
  return found
}

beforeAll(async () => {
  secrets = expandSecrets(
    existsSync(canaryFile()) ? readFileSync(canaryFile(), 'utf8').trim().split('\n') : [],
  )
  databases = await withClient(inject('clusterUrl'), async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'select datname as name from pg_database where starts_with(datname, $1)',
      [inject('databasePrefix')],
    )
    return rows.map(({ name }) => name)
  })
  for (const name of databases) dumps.set(name, await dump(databaseUrl(name)))
}, 120_000)

describe('after every other test', () => {
  it('there is something to search, and the search finds what is there', () => {
    // Run with all other projects: alone, this one has nothing to look at.
    expect(secrets.size).toBeGreaterThan(100)
    expect(databases.length).toBeGreaterThan(5)
    const publicIds = [...secrets].flatMap((secret) => /^pat_([0-9a-f]{16})/.exec(secret)?.[1] ?? [])
    const all = [...dumps.values()].join('\n')
    expect(publicIds.slice(0, 200).filter((id) => all.includes(id)).length).toBeGreaterThan(50)
    expect(all).toContain('$argon2id$')
    const [some = ''] = secrets
    expect(findSecrets(`x=${some}, and more`)).toContain(some)
  })

  it('no database holds a secret', { timeout: SEARCH_MS }, () => {
    expect([...dumps].flatMap(([name, text]) => findSecrets(text).map((secret) => [name, secret]))).toEqual(
      [],
    )
  })

  it('no database holds a private key in clear', () => {
    const privateMember = /"(d|p|q|dp|dq|qi|k)"\s*:\s*"|PRIVATE KEY/
    expect([...dumps].filter(([, text]) => privateMember.test(text)).map(([name]) => name)).toEqual([])
  })

  it('no server printed a secret at debug level', { timeout: SEARCH_MS }, () => {
    const files = readdirSync(inject('evidenceDir')).filter((name) => name.endsWith('.log'))
    const logs = files.map((name) => [name, readFileSync(join(inject('evidenceDir'), name), 'utf8')] as const)
    expect(logs.map(([, text]) => text).join('').length).toBeGreaterThan(100_000)
    expect(logs.flatMap(([name, text]) => findSecrets(text).map((secret) => [name, secret]))).toEqual([])
  })
})
