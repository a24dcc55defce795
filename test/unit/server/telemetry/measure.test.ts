import { describe, expect, it } from 'vitest'
import { instrument } from '../../../../src/server/instrument.ts'
import { measureRequests, timed, traced } from '../../../../src/server/telemetry/measure.ts'
import { NO_TELEMETRY } from '../../../../src/server/telemetry/telemetry.ts'
import { newMetering, parseSamples, sumOf } from '../../../support/metrics.ts'

const work = async (n: number): Promise<number> => n + 1

describe('what is off', () => {
  it('leaves functions as they are', () => {
    expect(timed(undefined, work)).toBe(work)
    expect(traced(null, 'work', work)).toBe(work)
    const off = instrument(NO_TELEMETRY)
    const exchange = () => Promise.reject(new Error('not called'))
    const look = { begin: () => {}, take: exchange }
    const records = { record: exchange, touch: exchange }
    expect(off.exchange(exchange)).toBe(exchange)
    expect(off.beginLookUp(look)).toBe(look.begin)
    expect(off.ledger(records)).toBe(records)
    expect(off.answerToken(exchange)).toBe(exchange)
    expect(off.middleware()).toEqual([])
  })
})

describe('a timed function', () => {
  it('gives what it gave, and is timed also when it fails', async () => {
    const seconds: number[] = []
    const observe = (value: number): void => void seconds.push(value)
    expect(await timed(observe, work)(1)).toBe(2)
    const failing = timed(observe, () => Promise.reject(new Error('gone')))
    await expect(failing()).rejects.toThrow('gone')
    expect(seconds).toHaveLength(2)
    expect(seconds.every((value) => value >= 0 && value < 5)).toBe(true)
  })
})

describe('a request', () => {
  it('whose handler throws is counted, and not in flight any more', async () => {
    const { meter } = newMetering()
    const ctx = { method: 'BREW', status: 500, _matchedRoute: '/pots/:id' }
    const answering = measureRequests(meter)(ctx, () => Promise.reject(new Error('gone')))
    await expect(answering).rejects.toThrow('gone')
    const samples = parseSamples((await meter.render()).text)
    const labels = { route: '/pots/{id}', method: '_OTHER', status: '5xx' }
    expect(sumOf(samples, 'patmint_http_requests_total', labels)).toBe(1)
    expect(sumOf(samples, 'patmint_http_requests_in_flight')).toBe(0)
  })
})

describe('a background task', () => {
  it('has succeeded at 0 as long as it has not', async () => {
    const { meter } = newMetering()
    const at = new Date('2026-03-01T00:00:00Z')
    const read = async () => {
      const samples = parseSamples((await meter.render()).text)
      return [
        sumOf(samples, 'patmint_task_last_success_timestamp_seconds', { task: 'purge' }),
        sumOf(samples, 'patmint_task_failures_total', { task: 'purge' }),
      ]
    }
    meter.taskEnded('purge', 'failure', at)
    expect(await read()).toEqual([0, 1])
    meter.taskEnded('purge', 'success', at)
    meter.taskEnded('purge', 'failure', new Date('2026-03-02T00:00:00Z'))
    expect(await read()).toEqual([at.getTime() / 1000, 2])
  })
})

describe('a refusal', () => {
  it('of a cause nobody named counts as other', async () => {
    const { meter } = newMetering()
    for (const cause of ['secret_mismatch', 'pat_0123', undefined]) meter.countRefusal(cause)
    const samples = parseSamples((await meter.render()).text)
    const count = (cause: string) => sumOf(samples, 'patmint_exchange_refusals_total', { cause })
    expect([count('secret_mismatch'), count('other'), count('pat_0123')]).toEqual([1, 2, 0])
  })
})
