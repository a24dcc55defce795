// docs/operations.md: what it tells an operator to run does run, and its table of settings is whole.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseCredential } from '../../src/protocol/credential.ts'
import { loadConfig } from '../../src/server/config/config.ts'
import { configFileSchema } from '../../src/server/config/schema.ts'
import { openDatabase } from '../../src/server/db/database.ts'
import { migrate } from '../../src/server/db/migrator.ts'
import { ensureAuditPartitions } from '../../src/server/ledger/store.ts'
import { createTestDatabase, withClient } from '../support/test-database.ts'
import { REPOSITORY, runInShell } from './shell.ts'

const text = await readFile(join(REPOSITORY, 'docs', 'operations.md'), 'utf8')

const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code]) => code ?? '')

function blockWith(language: string, part: string): string {
  const block = blocks(language).find((code) => code.includes(part))
  if (!block) throw new Error(`no block with ${part}`)
  return block
}

describe('docs/operations.md', () => {
  it('lists every key of the configuration file', () => {
    const [, settings = ''] = /^## Settings\n([\s\S]*?)^## /m.exec(text) ?? []
    // What is nested has a line for each of its members.
    const documented = new Set(
      [...settings.matchAll(/^\|[^|]*\| `([a-z_]+)(?:\.[a-z_]+)?` \|/gm)].map(([, key]) => key),
    )
    expect([...documented].sort()).toEqual(Object.keys(configFileSchema.shape).sort())
  })

  it('shows how to make a secret key the server accepts', async () => {
    const key = await runInShell(blockWith('sh', 'openssl rand'))
    expect(loadConfig({ PATMINT_CONFIG: '/dev/null', PATMINT_SECRET_KEY: key })).toMatchObject({ ok: true })
  })

  it('shows how to make a PAT the server accepts', async () => {
    const pat = await runInShell(blockWith('sh', 'zlib.crc32'))
    expect(parseCredential(pat)?.kind).toBe('personal')
  })

  describe('its SQL', () => {
    let url: string
    beforeAll(async () => {
      url = await createTestDatabase()
      await migrate(url)
      const db = openDatabase({ url, maxConnections: 1 })
      await ensureAuditPartitions(db, new Date('2026-01-15T00:00:00Z'))
      await db.destroy()
    })

    it.each(['bulk_revoked', 'secret_hash from', 'from audit_events where', 'detach partition'])(
      'runs on the schema of this version: %s',
      async (part) => {
        await withClient(url, (client) => client.query(blockWith('sql', part)))
      },
    )
  })
})
