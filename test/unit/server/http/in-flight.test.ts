import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import { describe, expect, it, vi } from 'vitest'
import { OverloadError } from '../../../../src/protocol/overload.ts'
import { InFlight } from '../../../../src/server/http/in-flight.ts'

const contextOf = (name: string): Context => ({ req: { url: name } as IncomingMessage }) as Context

describe('the places of requests in flight', () => {
  it('are as many as there may be, and one more is refused', () => {
    const onOverload = vi.fn()
    const inFlight = new InFlight(2, onOverload)
    inFlight.take(contextOf('a'))
    inFlight.take(contextOf('b'))
    expect(() => inFlight.take(contextOf('c'))).toThrow(new OverloadError('too_many_in_flight'))
    expect([inFlight.size, onOverload.mock.calls]).toEqual([2, [['too_many_in_flight']]])
  })

  it('are held once by a request, however often it asks', () => {
    const inFlight = new InFlight(1, () => {})
    const ctx = contextOf('a')
    inFlight.take(ctx)
    inFlight.take(ctx)
    expect(inFlight.size).toBe(1)
  })

  it.each([
    ['that succeeds', async () => {}],
    ['that fails', () => Promise.reject(new Error('broke'))],
  ])('are free again after a request %s, and not before', async (_name, work) => {
    const inFlight = new InFlight(1, () => {})
    const ctx = contextOf('a')
    await inFlight
      .giveBack(ctx, async () => {
        inFlight.take(ctx)
        expect(inFlight.size).toBe(1)
        await work()
      })
      .catch(() => {})
    expect(inFlight.size).toBe(0)
    inFlight.take(contextOf('b'))
  })

  it('are not held by a request that never took one', async () => {
    const inFlight = new InFlight(1, () => {})
    await inFlight.giveBack(contextOf('a'), async () => {})
    expect(inFlight.size).toBe(0)
  })
})
