// The model-based test: random sequences of everything that can happen to a user's credentials, on the real server
// beside a model of a few dozen lines. `MODEL_RUNS` says how many, `MODEL_SEED` which ones again.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../support/acme.ts'
import { type HeldConnections, holdConnections } from '../support/held-connections.ts'
import type { LifeCommand } from './command.ts'
import { life } from './commands.ts'
import { MAX_ACTIVE, newModel } from './credential-model.ts'
import { Workplace } from './workplace.ts'

const { MODEL_RUNS = '60', MODEL_SEED } = process.env
const MAX_COMMANDS = 25
const TIMEOUT_MS = 600_000

const seed = MODEL_SEED === undefined ? Math.trunc(Math.random() * 0x7fffffff) : Number(MODEL_SEED)

let acme: Acme
let connections: HeldConnections
beforeAll(async () => {
  acme = await startAcme()
  // Lifetimes are the commands' choice; how policy bounds them is tested elsewhere.
  const policy = { max_lifetime_seconds: null, max_active_tokens: MAX_ACTIVE }
  await acme.db.updateTable('expiry_policies').set(policy).execute()
  connections = holdConnections(acme.url, 16)
})
afterAll(async () => {
  connections.close()
  await acme.stop()
})

/** What so many lives are sure to meet; fewer may happen to miss one. */
const MANY = 300
const CAUSES = [
  'credential_revoked',
  'credential_superseded',
  'credential_expired',
  'owner_suspended',
  'membership_missing',
  'role_missing',
  'audience_not_permitted',
]

/** Everything exchanges were refused for, and whether credentials with chosen permissions were among those made. */
async function describeLives() {
  const refusals = acme.db.selectFrom('audit_events').select('reason').distinct()
  const narrowed = acme.db.selectFrom('credentials').select('id').where('permissions', 'is not', null)
  const causes = await refusals.where('type', '=', 'exchange.refused').execute()
  return { causes: causes.map(({ reason }) => reason), narrowed: (await narrowed.execute()).length }
}

describe('credentials', () => {
  it(
    'do what the model says, whatever happens to them and their owner',
    async () => {
      process.stdout.write(`model: MODEL_RUNS=${MODEL_RUNS} MODEL_SEED=${seed}\n`)
      let sequences = 0
      const run = async (commands: Iterable<LifeCommand>) => {
        const workplace = new Workplace(acme, connections, sequences)
        sequences += 1
        await workplace.prepare()
        await fc.asyncModelRun(() => ({ model: newModel(), real: workplace }), commands)
        acme.takeQueries()
      }
      await fc.assert(fc.asyncProperty(life(MAX_COMMANDS), run), { seed, numRuns: Number(MODEL_RUNS) })
      expect(sequences).toBe(Number(MODEL_RUNS))
      if (sequences < MANY) return
      const { causes, narrowed } = await describeLives()
      expect(causes).toEqual(expect.arrayContaining(CAUSES))
      expect(narrowed).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )
})
