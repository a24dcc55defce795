// Sets the scene: one Postgres, a server on a small database, one on a large database where that is measured, and the
// floor.

import { join } from 'node:path'
import { migrate } from '../../../src/server/db/migrator.ts'
import { seedAuditHistory } from '../seed/audit-history.ts'
import { seedCrowd } from '../seed/crowd.ts'
import type { Arena, Session } from '../trial/session.ts'
import { openFloor } from './floor.ts'
import { exchangeOnce, openPatmint, type Patmint } from './patmint.ts'
import type { Postgres } from './postgres.ts'

/** Opens everything a run needs. Whatever is to be ended goes on the stack. */
export async function openArena(
  stack: AsyncDisposableStack,
  session: Session,
  dir: string,
  postgres: Postgres,
): Promise<Arena> {
  const { settings, warmCredentials: pats, groups } = session.options
  const small = await session.prepare(`a server, and ${pats} PATs used once`, async () =>
    openPatmint(stack, {
      name: 'small',
      dir: join(dir, 'small'),
      databaseUrl: await postgres.createDatabase('small'),
      settings,
      pats,
    }),
  )
  const [pat = ''] = small.pats
  const floor = await openFloor(stack, dir, await exchangeOnce(small.server.url, pat))
  const large = groups.has('large') ? await openLarge(stack, session, dir, postgres) : undefined
  return { floor, small, large }
}

async function openLarge(
  stack: AsyncDisposableStack,
  session: Session,
  dir: string,
  postgres: Postgres,
): Promise<Patmint> {
  const { settings, warmCredentials, largeCredentials, largeAuditEvents } = session.options
  const databaseUrl = await postgres.createDatabase('large')
  await migrate(databaseUrl)
  await session.prepare(`${largeAuditEvents} audit records`, () =>
    seedAuditHistory(databaseUrl, largeAuditEvents, largeCredentials),
  )
  const large = await openPatmint(stack, {
    name: 'large',
    dir: join(dir, 'large'),
    databaseUrl,
    settings,
    pats: warmCredentials,
    fill: (url) => session.prepare(`${largeCredentials} credentials`, () => seedCrowd(url, largeCredentials)),
  })
  await session.prepare('checkpoint', () => postgres.checkpoint())
  return large
}
