import { describe, expect, it } from 'vitest'
import { GatheredMetrics } from '../../../../src/server/telemetry/gathered-metrics.ts'
import { MetricSet, type Snapshot } from '../../../../src/server/telemetry/metric-set.ts'
import { describeMetrics, parseSamples, sumOf } from '../../../support/metrics.ts'

/** A process that has counted `counted` requests, took a second for each, and has `open` connections. */
async function newSnapshot(counted: number, open: number, isUp = true): Promise<Snapshot> {
  const set = new MetricSet()
  set.counter('requests_total', 'Requests')(counted)
  const observe = set.histogram('request_seconds', 'How long requests took')
  for (let request = 0; request < counted; request += 1) observe(1)
  set.gauge('connections', 'Open connections', () => open)
  set.gauge('database_up', 'Whether the database answers', () => Number(isUp), 'min')
  // Over the channel between two processes.
  return JSON.parse(JSON.stringify(await set.snapshot())) as Snapshot
}

const read = async (
  gathered: GatheredMetrics,
  own: Snapshot,
  others: readonly (readonly [number, Snapshot | null])[],
) => {
  const samples = parseSamples((await gathered.render(own, new Map(others))).text)
  const numberOf = (name: string, labels = {}) => sumOf(samples, name, labels)
  return {
    requests: numberOf('requests_total'),
    seconds: numberOf('request_seconds_sum'),
    withinOne: numberOf('request_seconds_bucket', { le: '1' }),
    connections: numberOf('connections'),
    isUp: numberOf('database_up'),
  }
}

describe('the metrics of several processes', () => {
  it('are those of one: counts and gauges are summed, and what one of them lacks is lacking', async () => {
    const [own, first, second] = await Promise.all([
      newSnapshot(0, 1),
      newSnapshot(3, 2),
      newSnapshot(4, 5, false),
    ])
    expect(
      await read(new GatheredMetrics(), own, [
        [1, first],
        [2, second],
      ]),
    ).toEqual({ requests: 7, seconds: 7, withinOne: 7, connections: 8, isUp: 0 })
  })

  it('keep their counts when processes end, and forget their gauges', async () => {
    const gathered = new GatheredMetrics()
    const own = await newSnapshot(0, 0)
    await read(gathered, own, [[1, await newSnapshot(3, 2, false)]])
    const second = await newSnapshot(1, 4)
    const expected = { requests: 4, seconds: 4, withinOne: 4, connections: 4, isUp: 1 }
    expect(await read(gathered, own, [[2, second]])).toEqual(expected)
    expect(await read(gathered, own, [[2, second]])).toEqual(expected)
    const third = await newSnapshot(2, 1)
    expect(await read(gathered, own, [[3, third]])).toEqual({
      ...expected,
      requests: 6,
      seconds: 6,
      withinOne: 6,
      connections: 1,
    })
  })

  it('are what a process said last where it does not answer', async () => {
    const gathered = new GatheredMetrics()
    const own = await newSnapshot(0, 0)
    const before = await read(gathered, own, [[1, await newSnapshot(3, 2)]])
    expect(await read(gathered, own, [[1, null]])).toEqual(before)
    expect(await read(gathered, own, [[1, await newSnapshot(5, 2)]])).toMatchObject({ requests: 5 })
  })

  it('have the names, types and help of one', async () => {
    const own = await newSnapshot(1, 1)
    const { text } = await new GatheredMetrics().render(own, new Map([[1, own]]))
    expect(describeMetrics(text).map(({ name, type }) => [name, type])).toEqual([
      ['requests_total', 'counter'],
      ['request_seconds', 'histogram'],
      ['connections', 'gauge'],
      ['database_up', 'gauge'],
    ])
  })
})
