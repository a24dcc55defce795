// The first exchange of a credential: its hash is computed, which is what argon2id is for, and its use is noted.

import { composeExchange, spendRequests } from '../load/requests.ts'
import { seedCredentials } from '../seed/credentials.ts'
import type { Arena, Session } from './session.ts'

const CONNECTIONS = 64
/** The server has run for a while; only the credentials are cold. */
const WARM_UP_SECONDS = 0.2

/** Every PAT once, until they are spent or the time is up. */
export async function measureCold(session: Session, { small }: Arena): Promise<void> {
  const { coldCredentials, window } = session.options
  const pats = await session.prepare(`${coldCredentials} PATs nobody has used`, () =>
    seedCredentials(small.server, coldCredentials),
  )
  const trial = {
    name: 'first exchange',
    connections: CONNECTIONS,
    next: spendRequests(pats.map(composeExchange)),
  }
  const closed = await session.run(small, trial, { ...window, warmUpSeconds: WARM_UP_SECONDS })
  session.rows.push({
    id: 'cold-64',
    name: 'first exchange of each PAT',
    connections: CONNECTIONS,
    closed,
    open: null,
  })
}
