import { describe, expect, it } from 'vitest'
import { ADDRESS, ASSIGNMENT, openServingWorkplace, openWorkplace, settle } from './worker-fixture.ts'

const LONG_MS = 10_000

describe('a pool that starts', () => {
  it('has all workers listen first, and serve when there is something to serve', async () => {
    const { pool, workers } = openWorkplace(3)
    expect(await pool.listen(ADDRESS)).toBe(7000)
    expect(workers.map(({ told }) => told)).toEqual([['listen'], ['listen'], ['listen']])
    await pool.serve(ASSIGNMENT)
    expect(workers.map(({ told }) => told.at(-1))).toEqual(['compose', 'compose', 'compose'])
  })

  it('fails with the reason of the worker that cannot listen', async () => {
    const workplace = openWorkplace(2)
    workplace.answer = 'cannot listen on 127.0.0.1:1'
    await expect(workplace.pool.listen(ADDRESS)).rejects.toThrow('cannot listen on 127.0.0.1:1')
    expect(workplace.workers).toHaveLength(2)
  })
})

describe('a worker that ends', () => {
  it('is replaced by one that listens only when it could serve', async () => {
    const { workers, waits } = await openServingWorkplace(2)
    workers[0]?.end('SIGKILL')
    await settle()
    expect(workers).toHaveLength(3)
    expect(workers[2]?.told).toEqual(['compose', 'listen'])
    expect(waits).toEqual([0])
  })

  it('is replaced after waits that grow while starts fail, for as long as another one serves', async () => {
    const workplace = await openServingWorkplace(2)
    workplace.answer = 'no database'
    workplace.workers[0]?.end('SIGKILL')
    while (workplace.waits.length < 12) await settle()
    workplace.answer = 7000
    await settle()
    await settle()
    expect(workplace.waits.slice(0, 12)).toEqual([
      0, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000,
    ])
    expect(workplace.workers[1]?.told).not.toContain('stop')
    expect(workplace.workers.at(-1)?.told).toEqual(['compose', 'listen'])
  })

  it('breaks the pool when no other serves and six in a row ended early', async () => {
    const workplace = await openServingWorkplace(1)
    workplace.answer = 'no database'
    workplace.workers[0]?.end('SIGKILL')
    await expect(workplace.pool.broken).rejects.toThrow('workers end again and again: no database')
    expect(workplace.workers).toHaveLength(6)
  })

  it.each([
    ['does not, when each one served for ten seconds', LONG_MS, 20],
    ['does, when each one served for a moment less', LONG_MS - 1, 6],
  ])('%s', async (_, servedMs, expected) => {
    const workplace = await openServingWorkplace(1)
    for (let ended = 0; ended < 20; ended += 1) {
      workplace.nowMs += servedMs
      workplace.workers.at(-1)?.end('SIGSEGV')
      await settle()
    }
    expect(workplace.workers.length).toBe(expected === 20 ? 21 : expected)
  })

  it('has no successor on another port than the one clients know', async () => {
    const workplace = await openServingWorkplace(1)
    workplace.answer = 7001
    workplace.workers[0]?.end('SIGKILL')
    await expect(workplace.pool.broken).rejects.toThrow('workers end again and again: port 7000 was lost')
    expect(workplace.workers[1]?.told).toEqual(['compose', 'listen', 'kill'])
  })
})

describe('a rolling restart', () => {
  it('replaces one worker after the other, each when its successor serves', async () => {
    const { pool, workers } = await openServingWorkplace(2)
    const [first, second] = workers
    pool.restart()
    await settle()
    expect(workers[2]?.told).toEqual(['compose', 'listen'])
    expect([first?.told.at(-1), second?.told.at(-1)]).toEqual(['retire', 'compose'])
    expect(workers).toHaveLength(3)
    first?.end('exit code 0')
    await settle()
    expect([workers.length, second?.told.at(-1)]).toEqual([4, 'retire'])
    second?.end('exit code 0')
    await settle()
    expect(workers).toHaveLength(4)
  })

  it('leaves the old workers alone when a new one does not start', async () => {
    const workplace = await openServingWorkplace(2)
    workplace.answer = 'wrong configuration'
    workplace.pool.restart()
    await settle()
    expect(workplace.workers.slice(0, 2).map(({ told }) => told.at(-1))).toEqual(['compose', 'compose'])
    expect(workplace.workers).toHaveLength(3)
    expect(workplace.messages().slice(-2)).toEqual([
      'worker did not start',
      'rolling restart given up: the workers there are serve on',
    ])
  })

  it('that is asked for while one is under way follows it, once', async () => {
    const { pool, messages, workers } = await openServingWorkplace(1)
    for (let asked = 0; asked < 4; asked += 1) {
      pool.restart()
      await settle()
    }
    for (let ended = 0; ended < 4; ended += 1) {
      workers[ended]?.end('exit code 0')
      await settle()
    }
    expect(messages().filter((message) => message === 'rolling restart done')).toHaveLength(2)
  })

  it('passes over a worker that has ended and was replaced meanwhile', async () => {
    const { pool, workers } = await openServingWorkplace(2)
    pool.restart()
    await settle()
    workers[1]?.end('SIGKILL')
    await settle()
    workers[0]?.end('exit code 0')
    await settle()
    expect(workers).toHaveLength(4)
    expect(workers[1]?.told).not.toContain('retire')
  })
})

describe('what is measured', () => {
  it('is what every worker says that serves, and one that retires until it has ended', async () => {
    const { pool, workers } = await openServingWorkplace(2)
    pool.restart()
    await settle()
    expect(await pool.measure()).toEqual(
      new Map([1001, 1002, 1000].map((pid): [number, unknown] => [pid, { pid }])),
    )
    workers[0]?.end('exit code 0')
    await settle()
    expect([...(await pool.measure()).keys()].sort()).toEqual([1001, 1002, 1003])
  })
})

describe('a pool that stops', () => {
  it('tells every worker, also one that is retiring, and replaces none', async () => {
    const { pool, workers } = await openServingWorkplace(2)
    pool.restart()
    await settle()
    await pool.stop()
    await settle()
    expect(workers.map(({ told }) => told.at(-1))).toEqual(['stop', 'stop', 'stop'])
  })

  it('ends what does not', async () => {
    const { pool, workers } = await openServingWorkplace(2)
    pool.kill()
    await settle()
    expect(workers.map(({ told }) => told.at(-1))).toEqual(['kill', 'kill'])
  })
})
