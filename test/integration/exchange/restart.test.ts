// Postgres itself ends and comes back, while exchanges go on.

import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import type { EmbeddedPostgres } from '../../../src/server/db/embedded/embedded-postgres.ts'
import { type Acme, startAcme } from '../../support/acme.ts'
import { type DatabaseProxy, startDatabaseProxy } from '../../support/database-proxy.ts'
import { it, readPostmasterPid, type Workplace } from '../../support/embedded-postgres-workplace.ts'
import { requestExchange } from '../../support/requests.ts'

interface Attempt {
  readonly status: number
  readonly error: unknown
  readonly startedAt: number
  readonly endedAt: number
}

const LANES = 4

/** Exchanges one after the other, in several places at once, until it is aborted. */
async function exchangeUntil(stop: AbortSignal, acme: Acme, attempts: Attempt[]): Promise<void> {
  const exchangeOn = async (): Promise<void> => {
    while (!stop.aborted) {
      const startedAt = performance.now()
      const { status, json } = await requestExchange(acme.url, { subject_token: acme.janePat })
      attempts.push({ status, error: json['error'], startedAt, endedAt: performance.now() })
      await sleep(20)
    }
  }
  await Promise.all(Array.from({ length: LANES }, exchangeOn))
}

/** Ends Postgres, fast or at once, and starts it again under the same address; gives the instant it was back. */
async function restart(workplace: Workplace, { postgres, proxy }: Stage, signal: Signal): Promise<number> {
  process.kill(await readPostmasterPid(workplace.dataDir), signal)
  await postgres.stop()
  const { url } = await workplace.start()
  proxy.redirect(url)
  return performance.now()
}

type Signal = 'SIGINT' | 'SIGQUIT'

interface Stage {
  readonly postgres: EmbeddedPostgres
  readonly proxy: DatabaseProxy
}

/** Waits until a hundred in a row went well: then nothing of an outage is left to show itself. */
async function untilGood(attempts: readonly Attempt[]): Promise<void> {
  const from = attempts.length
  const isGood = (): boolean =>
    attempts.length >= from + 100 && attempts.slice(-100).every(({ status }) => status === 200)
  while (!isGood()) await sleep(20)
}

async function expectToBeOutlived(workplace: Workplace, signal: Signal): Promise<void> {
  const postgres = await workplace.start()
  const proxy = await startDatabaseProxy(postgres.url)
  const acme = await startAcme({ PATMINT_DATABASE_URL: proxy.url })
  try {
    const done = new AbortController()
    const attempts: Attempt[] = []
    const exchanging = exchangeUntil(done.signal, acme, attempts)
    await untilGood(attempts)
    const backAt = await restart(workplace, { postgres, proxy }, signal)
    await untilGood(attempts)
    done.abort()
    await exchanging
    const failed = attempts.filter(({ status }) => status !== 200)
    expect(failed.length).toBeGreaterThan(0)
    expect(new Set(failed.map(({ status, error }) => `${status} ${error}`))).toEqual(
      new Set(['503 temporarily_unavailable']),
    )
    expect(Math.max(...attempts.map(({ startedAt, endedAt }) => endedAt - startedAt))).toBeLessThan(5000)
    expect(Math.max(...failed.map(({ endedAt }) => endedAt)) - backAt).toBeLessThan(5000)
  } finally {
    await acme.stop()
    proxy.close()
  }
}

describe('a Postgres that is restarted', { timeout: 60_000 }, () => {
  it('makes exchanges a 503 until it is back, and is used again then', ({ workplace }) =>
    expectToBeOutlived(workplace, 'SIGINT'))

  it('does so also when it ended at once, and first recovers', ({ workplace }) =>
    expectToBeOutlived(workplace, 'SIGQUIT'))
})
