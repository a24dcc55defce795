import type { Worker } from 'node:cluster'
import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { type Duties, followOrders } from '../../../../src/server/workers/follow-orders.ts'
import { settle } from './worker-fixture.ts'

/** This process's side of the channel, as node:cluster gives it to a worker. */
class FakeChannel extends EventEmitter {
  readonly sent: unknown[] = []
  isOpen = true
  exitedAfterDisconnect = false

  isConnected(): boolean {
    return this.isOpen
  }

  send(message: unknown, done: () => void): void {
    this.sent.push(message)
    done()
  }

  disconnect(): void {
    this.isOpen = false
    this.emit('disconnect')
  }
}

function openChannel(duties: Partial<Duties> = {}) {
  const channel = new FakeChannel()
  const left: boolean[] = []
  const following = followOrders(channel as unknown as Worker, {
    listen: async () => 7000,
    compose: async () => {},
    measure: async () => [],
    leave: async (hurry) => void left.push(hurry.aborted),
    ...duties,
  })
  return { channel, left, following }
}

describe('a worker', () => {
  it('says that it is attentive, then answers each order', async () => {
    const { channel } = openChannel()
    channel.emit('message', { type: 'patmint:listen', address: { host: '::1', port: 0 } })
    channel.emit('message', { type: 'patmint:compose', assignment: {} })
    channel.emit('message', { type: 'patmint:measure' })
    await settle()
    expect(channel.sent).toEqual([
      { type: 'patmint:attentive' },
      { type: 'patmint:listening', port: 7000 },
      { type: 'patmint:composed' },
      { type: 'patmint:measured', snapshot: [] },
    ])
  })

  it('that cannot measure itself says so, and works on', async () => {
    const { channel } = openChannel({ measure: () => Promise.reject(new Error('no such metric')) })
    channel.emit('message', { type: 'patmint:measure' })
    channel.emit('message', { type: 'patmint:compose', assignment: {} })
    await settle()
    expect(channel.sent.slice(1)).toEqual([
      { type: 'patmint:composed' },
      { type: 'patmint:measured', snapshot: null },
    ])
  })

  it.each([
    null,
    'patmint:stop',
    7,
    {},
    { type: 7 },
    { type: 'toString' },
    { type: 'prom-client:getMetrics' },
  ])('takes no notice of %j', async (message) => {
    const { channel, left } = openChannel()
    channel.emit('message', message)
    await settle()
    expect([channel.sent, left]).toEqual([[{ type: 'patmint:attentive' }], []])
  })

  it('that retires takes its time, and takes leave of the primary', async () => {
    const { channel, left, following } = openChannel()
    channel.emit('message', { type: 'patmint:retire' })
    await following
    expect([left, channel.isOpen]).toEqual([[false], false])
  })

  it.each(['retire', 'nothing'])('that stops hurries, after %s', async (before) => {
    const { promise: leaving, resolve } = Promise.withResolvers<void>()
    const { channel, following } = openChannel({
      leave: (hurry) => {
        if (hurry.aborted) resolve()
        hurry.addEventListener('abort', () => resolve())
        return leaving
      },
    })
    channel.emit('message', { type: `patmint:${before}` })
    await settle()
    channel.emit('message', { type: 'patmint:stop' })
    await following
  })

  it('that has lost its primary finishes in a hurry, and is not ended by Node.js', async () => {
    const { channel, left, following } = openChannel()
    expect(channel.exitedAfterDisconnect).toBe(true)
    channel.disconnect()
    await following
    expect(left).toEqual([true])
  })

  it('that cannot do what it was ordered ends with the reason', async () => {
    const { channel, left, following } = openChannel({
      listen: async () => Promise.reject(new Error('cannot listen')),
    })
    channel.emit('message', { type: 'patmint:listen', address: { host: '::1', port: 1 } })
    await expect(following).rejects.toThrow('cannot listen')
    expect(left).toEqual([])
  })
})
