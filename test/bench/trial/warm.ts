// Exchanges of PATs that were used before, as nearly all are. What is compared takes turns, so that whatever else the
// machine does in the meantime falls on all alike.

import { repeatRequests } from '../load/requests.ts'
import { combineRounds, type Figures } from '../meter/figures.ts'
import type { Row } from '../report/report.ts'
import type { Patmint } from '../stage/patmint.ts'
import type { Arena, Session } from './session.ts'
import type { Contestant, Trial } from './trial.ts'

const REFERENCE_CONNECTIONS = 64
const OTHER_CONNECTIONS = [1, 16, 256]
/** Of the rate a closed loop reached: busy, and not yet a queue that only grows. */
const OPEN_SHARE = 0.55

/** Floor, warm exchange and, where there is one, the large database, at 64 connections. */
export async function compareWarm(session: Session, { floor, small, large }: Arena): Promise<void> {
  const next = repeatRequests(small.exchanges)
  const turns: Turn[] = [{ id: 'floor', name: 'floor: node:http and one signature', contestant: floor, next }]
  const { groups } = session.options
  if (groups.has('warm') || large) turns.push(toTurn('warm-64', 'warm exchange', small))
  if (large) turns.push(toTurn('large-64', 'warm exchange, large database', large))
  const rounds = new Map<Turn, Figures[]>(turns.map((turn) => [turn, []]))
  for (let round = 0; round < session.options.rounds; round += 1)
    for (const [turn, figures] of rounds)
      figures.push(await session.run(turn.contestant, toTrial(turn.next, REFERENCE_CONNECTIONS)))
  for (const [turn, figures] of rounds) {
    const closed = combineRounds(figures)
    const open = await runOpen(session, turn, REFERENCE_CONNECTIONS, closed)
    session.rows.push({ id: turn.id, name: turn.name, connections: REFERENCE_CONNECTIONS, closed, open })
  }
}

interface Turn {
  readonly id: string
  readonly name: string
  readonly contestant: Contestant
  readonly next: () => Buffer
}

const toTurn = (id: string, name: string, contestant: Patmint): Turn => ({
  id,
  name,
  contestant,
  next: repeatRequests(contestant.exchanges),
})

const toTrial = (next: () => Buffer, connections: number): Trial => ({ name: 'exchange', connections, next })

/** Warm exchanges at the other numbers of connections. */
export async function measureWarm(session: Session, { small }: Arena): Promise<void> {
  for (const connections of OTHER_CONNECTIONS) {
    const turn = toTurn(`warm-${connections}`, 'warm exchange', small)
    const closed = await session.run(small, toTrial(turn.next, connections))
    const open = await runOpen(session, turn, connections, closed)
    session.rows.push({ id: turn.id, name: turn.name, connections, closed, open })
  }
}

async function runOpen(
  session: Session,
  { contestant, next }: Turn,
  connections: number,
  closed: Figures,
): Promise<Row['open']> {
  const arrivingPerSecond = closed.perSecond * OPEN_SHARE
  const figures = await session.run(contestant, {
    ...toTrial(next, connections),
    perSecond: arrivingPerSecond,
  })
  return { ...figures, arrivingPerSecond }
}
