import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { startClosedLoop } from '../../bench/load/closed-loop.ts'
import type { Target } from '../../bench/load/connection.ts'
import { startOpenLoop } from '../../bench/load/open-loop.ts'
import { composeGet, repeatRequests, spendRequests } from '../../bench/load/requests.ts'
import { Tally } from '../../bench/load/tally.ts'

const STALL_MS = 400

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function serve(listener: RequestListener): Promise<Target> {
  const http = createServer(listener)
  server = http
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return { host: '127.0.0.1', port: (http.address() as AddressInfo).port }
}

const answer: RequestListener = (_, response) => {
  response.writeHead(200, { 'Content-Length': 2 }).end('{}')
}

/** Answers everything but the very first request at once. */
function stallOnce(): RequestListener {
  let seen = 0
  return async (request, response) => {
    seen += 1
    if (seen === 1) await sleep(STALL_MS)
    answer(request, response)
  }
}

const next = repeatRequests([composeGet('/')])
const countSlow = (tally: Tally): number => {
  const percents = Array.from({ length: 1000 }, (_, index) => (index + 1) / 10)
  const slow = tally.percentiles(percents).filter((latency) => latency > STALL_MS / 4).length
  return Math.round((slow / 1000) * tally.count)
}

describe('an open loop', () => {
  it('counts the wait of every request that was due while the server stalled', async () => {
    const target = await serve(stallOnce())
    const tally = new Tally([200])
    const load = await startOpenLoop({ target, connections: 1, next, perSecond: 200 })
    load.count(tally)
    await sleep(STALL_MS * 3)
    await load.stop()
    // 200 a second were due in the first three quarters of the stall, which had a quarter of it or more to wait.
    expect(countSlow(tally)).toBeGreaterThanOrEqual(50)
    expect(tally.failures).toBe(0)
  })

  it('replaces connections that are lost, and counts what was lost with them', async () => {
    let seen = 0
    const target = await serve((request, response) => {
      seen += 1
      if (seen % 10 === 0) request.socket.destroy()
      else answer(request, response)
    })
    const tally = new Tally([200])
    const load = await startOpenLoop({ target, connections: 2, next, perSecond: 200 })
    load.count(tally)
    await waitUntil(() => tally.count >= 40)
    await load.stop()
    expect(tally.failures).toBeGreaterThanOrEqual(3)
    expect(tally.statuses.get(0)).toBe(tally.failures)
    expect(tally.statuses.get(200)).toBe(tally.count - tally.failures)
  })
})

describe('a closed loop', () => {
  it('sees a stall once per connection, which is why latencies are not taken from it', async () => {
    const target = await serve(stallOnce())
    const tally = new Tally([200])
    const load = await startClosedLoop({
      target,
      connections: 1,
      next: spendRequests(Array(50).fill(next())),
    })
    load.count(tally)
    await load.spent
    expect(tally.count).toBe(50)
    expect(tally.percentiles([100])[0]).toBeGreaterThanOrEqual(STALL_MS - 1)
    expect(countSlow(tally)).toBeLessThan(10)
  })

  it('sends each request once, over connections that come and go', async () => {
    const seen: (string | undefined)[] = []
    const target = await serve((request, response) => {
      seen.push(request.url)
      response.setHeader('Connection', 'close')
      answer(request, response)
    })
    const requests = Array.from({ length: 12 }, (_, index) => composeGet(`/${index}`))
    const tally = new Tally([200])
    const load = await startClosedLoop({ target, connections: 3, next: spendRequests(requests) })
    load.count(tally)
    await load.spent
    expect(new Set(seen).size).toBe(12)
    expect(seen).toHaveLength(12)
    expect(tally.failures).toBe(0)
  })

  it('moves on to the next address after its share of requests', async () => {
    const seen: (string | undefined)[] = []
    const target = await serve((request, response) => {
      seen.push(request.socket.remoteAddress)
      answer(request, response)
    })
    let address = 0
    const origins = { next: () => `127.1.0.${++address}`, requests: 2 }
    const requests = Array(5).fill(composeGet('/'))
    const load = await startClosedLoop({ target, connections: 1, next: spendRequests(requests), origins })
    await load.spent
    expect(seen).toEqual(['127.1.0.1', '127.1.0.1', '127.1.0.2', '127.1.0.2', '127.1.0.3'])
  })
})

async function waitUntil(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(10)
}
