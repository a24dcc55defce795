import { describe, expect, it } from 'vitest'
import { Kept } from '../../../../src/server/status/kept.ts'

const START_MS = Date.parse('2026-03-01T12:00:00Z')

/** A value that is fresh for 10 s and holds for 100, and a hand on what becomes of each reading. */
function arrange() {
  let nowMs = START_MS
  const readings: PromiseWithResolvers<string>[] = []
  const errors: unknown[] = []
  const kept = new Kept({
    read: () => {
      const reading = Promise.withResolvers<string>()
      readings.push(reading)
      return reading.promise
    },
    freshMs: 10_000,
    holdsMs: 100_000,
    clock: () => new Date(nowMs),
    onError: (error) => errors.push(error),
  })
  const get = async (): Promise<string> => (await kept.get()).value
  return {
    kept,
    readings,
    errors,
    get,
    /** Gets it when the reading that this begins has ended. */
    getRead: (end: (reading: PromiseWithResolvers<string>) => void): Promise<string> => {
      const got = get()
      const reading = readings.at(-1)
      if (!reading) throw new Error('nothing is read')
      end(reading)
      return got
    },
    wait: (ms: number) => {
      nowMs += ms
    },
  }
}

const AWAY = new Error('the database is away')

describe('a value that is kept', () => {
  it('is read when somebody asks, once however many do', async () => {
    const { get, readings } = arrange()
    expect(readings).toHaveLength(0)
    const all = Promise.all([get(), get(), get()])
    readings[0]?.resolve('first')
    expect(await all).toEqual(['first', 'first', 'first'])
    expect(readings).toHaveLength(1)
  })

  it('is read anew when it is no longer fresh, and not before', async () => {
    const { get, getRead, readings, wait } = arrange()
    await getRead(({ resolve }) => resolve('first'))
    wait(9_999)
    expect(await get()).toBe('first')
    wait(1)
    expect(await getRead(({ resolve }) => resolve('second'))).toBe('second')
    expect(readings).toHaveLength(2)
  })

  it('is as old as the moment its reading began', async () => {
    const { kept, readings, wait } = arrange()
    const got = kept.get()
    wait(4_000)
    readings[0]?.resolve('first')
    expect((await got).readAt).toEqual(new Date(START_MS))
  })

  it('stands in while reading fails, and is not read again for two seconds', async () => {
    const { get, getRead, readings, errors, wait } = arrange()
    await getRead(({ resolve }) => resolve('first'))
    wait(50_000)
    expect(await getRead(({ reject }) => reject(AWAY))).toBe('first')
    expect(errors).toEqual([AWAY])
    wait(1_999)
    expect(await get()).toBe('first')
    expect(readings).toHaveLength(2)
    wait(1)
    expect(await getRead(({ resolve }) => resolve('second'))).toBe('second')
  })

  it('stands in while reading takes long, and the new one comes when it comes', async () => {
    const { get, getRead, readings, wait } = arrange()
    await getRead(({ resolve }) => resolve('first'))
    wait(14_999)
    expect(await get()).toBe('first')
    readings[1]?.resolve('second')
    await readings[1]?.promise
    expect(await get()).toBe('second')
    expect(readings).toHaveLength(2)
  })

  it('is waited for, however long that takes, when the last one is old', async () => {
    const { get, getRead, readings, wait } = arrange()
    await getRead(({ resolve }) => resolve('first'))
    wait(15_000)
    const next = get()
    await new Promise((resolve) => setTimeout(resolve, 1100))
    readings[1]?.resolve('second')
    expect(await next).toBe('second')
  })

  it('fails as its reading does once the last one holds no longer, also while no new try was due', async () => {
    const { get, getRead, wait } = arrange()
    await getRead(({ resolve }) => resolve('first'))
    wait(99_999)
    expect(await getRead(({ reject }) => reject(AWAY))).toBe('first')
    wait(1)
    await expect(getRead(({ reject }) => reject(AWAY))).rejects.toBe(AWAY)
    expect(await getRead(({ resolve }) => resolve('second'))).toBe('second')
    expect(await get()).toBe('second')
  })

  it('is not trusted by a clock that was set back', async () => {
    const { getRead, wait } = arrange()
    await getRead(({ resolve }) => resolve('first'))
    wait(-3_600_000)
    expect(await getRead(({ resolve }) => resolve('second'))).toBe('second')
  })

  it('can be asked for as it is now, although it is fresh', async () => {
    const { kept, getRead, readings } = arrange()
    await getRead(({ resolve }) => resolve('first'))
    const renewed = kept.renew()
    readings[1]?.resolve('second')
    expect((await renewed).value).toBe('second')
  })
})
