// The benchmark from beginning to end, in order.

import { describeMachine } from './meter/machine.ts'
import { measureSlowWindows } from './meter/steadiness.ts'
import type { Options } from './options.ts'
import { judgeBars } from './report/bars.ts'
import type { Report } from './report/report.ts'
import { openArena } from './stage/arena.ts'
import { openPostgres } from './stage/postgres.ts'
import { measureCold } from './trial/cold.ts'
import { measureBystanders, measureFloods } from './trial/flood.ts'
import { measureIntrospection, measureJwks } from './trial/lookups.ts'
import { type Arena, Session } from './trial/session.ts'
import { soak } from './trial/soak.ts'
import type { Say } from './trial/trial.ts'
import { compareWarm, measureWarm } from './trial/warm.ts'
import { measureVerifications } from './verify/measure.ts'

/** Runs it in a folder of its own. Whatever is to be ended goes on the stack, also when it rejects. */
export async function runBench(
  stack: AsyncDisposableStack,
  options: Options,
  dir: string,
  say: Say,
): Promise<Report> {
  const [startedAt, startedMs] = [new Date(), performance.now()]
  const machine = {
    ...describeMachine(),
    slow_windows_percent: measureSlowWindows(options.window.seconds / 2),
  }
  const verifications = options.groups.has('verify') ? await measureVerifications(options.verify, say) : []
  const { postgres, soaked, rows, preparations } = await runExchanges(stack, options, dir, say)
  return {
    startedAt: startedAt.toISOString(),
    seconds: (performance.now() - startedMs) / 1000,
    machine,
    postgres,
    settings: options.settings,
    preparations,
    rows,
    soak: soaked,
    verifications,
    bars: judgeBars(rows, soaked, verifications),
    failures: countFailures(rows) + (soaked?.figures.failures ?? 0),
  }
}

/** All that is measured over HTTP; nothing is started where that is nothing. */
async function runExchanges(stack: AsyncDisposableStack, options: Options, dir: string, say: Say) {
  const session = new Session(options, say)
  const { rows, preparations } = session
  if (![...options.groups].some((group) => group !== 'verify'))
    return { postgres: null, soaked: null, rows, preparations }
  const postgres = await openPostgres(dir, options.databaseUrl)
  stack.defer(() => postgres.stop())
  const arena = await openArena(stack, session, dir, postgres)
  const soaked = await runGroups(session, arena)
  return { postgres: postgres.settings, soaked, rows, preparations }
}

async function runGroups(session: Session, arena: Arena): Promise<Report['soak']> {
  const { groups } = session.options
  await compareWarm(session, arena)
  if (groups.has('warm')) await measureWarm(session, arena)
  if (groups.has('cold')) await measureCold(session, arena)
  if (groups.has('flood')) await measureFloods(session, arena)
  if (groups.has('flood')) await measureBystanders(session, arena)
  if (groups.has('jwks')) await measureJwks(session, arena)
  if (groups.has('introspection')) await measureIntrospection(session, arena)
  return groups.has('soak') ? soak(session, arena) : null
}

const countFailures = (rows: Report['rows']): number =>
  rows
    .flatMap(({ closed, open }) => [closed, open])
    .reduce((sum, figures) => sum + (figures?.failures ?? 0), 0)
