// The administrator's guide, run as it stands from its first block to its last.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { localize, readBlocks, readLinks, runShell } from '../support/document.ts'
import { canary } from '../support/evidence.ts'
import { newDataDir, newSecretKey, runServerCommand, startServerProcess } from '../support/server-process.ts'
import { createTestDatabase } from '../support/test-database.ts'

const GUIDE = 'docs/administration.md'

it('the guide works from joining to explaining a refusal', async () => {
  const variables = {
    PATMINT_CONFIG: '/dev/null',
    PATMINT_DATABASE_URL: await createTestDatabase(),
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_DATA_DIR: newDataDir(),
  }
  const server = await startServerProcess(variables)
  try {
    const secret = canary('guide-orders-secret-0123456789')
    const env = { ...variables, PATMINT_ISSUER: server.issuer, ORDERS_SECRET: secret }
    expect((await runServerCommand(['apply', '-f', 'config/example.yaml'], env)).code).toBe(0)
    // One shell for all blocks: later ones use what earlier ones set.
    const blocks = readBlocks(GUIDE, 'bash').map((block) => localize(block, server))
    const script = blocks.join(`\nprintf '\\n%s\\n' ---\n`)
    const outputs = (await runShell(script, variables)).split('\n---\n')
    for (const name of ['kim-pat', 'report-key', 'report-key-2'])
      expect(canary(readFileSync(join(server.dataDir, name), 'utf8'))).toMatch(/^(pat|key)_[0-9a-f]{64}$/)
    const [explained, events] = outputs.slice(-2).map((text) => JSON.parse(text) as Record<string, unknown>)
    expect(explained).toMatchObject({ outcome: 'refused', cause: 'scope_exceeds' })
    expect(events).toMatchObject({ items: [], next_cursor: null })
  } finally {
    await server.stop()
  }
})

it('the guide names only files that exist', () => {
  const links = readLinks(GUIDE)
  expect(links.length).toBeGreaterThan(3)
  for (const link of links) expect(() => readFileSync(join(dirname(GUIDE), link))).not.toThrow()
})
