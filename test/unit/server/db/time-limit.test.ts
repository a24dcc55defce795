import { describe, expect, it } from 'vitest'
import { isDatabaseAway } from '../../../../src/server/db/database.ts'
import { TimeLimitPassed, waitAtMost } from '../../../../src/server/db/time-limit.ts'

const never = new Promise<never>(() => {})

describe('waitAtMost', () => {
  it('gives what the task gives, and what it fails with', async () => {
    expect(await waitAtMost(60_000, Promise.resolve('value'))).toBe('value')
    await expect(waitAtMost(60_000, Promise.reject(new Error('planted')))).rejects.toThrow('planted')
  })

  it('rejects when the task takes longer, with what counts as a database that is away', async () => {
    const error = await waitAtMost(1, never).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(TimeLimitPassed)
    expect(isDatabaseAway(error)).toBe(true)
  })

  it('leaves no unhandled rejection behind when the task fails later', async () => {
    const late = Promise.withResolvers<void>()
    await expect(waitAtMost(1, late.promise)).rejects.toBeInstanceOf(TimeLimitPassed)
    late.reject(new Error('nobody waits for this'))
    // An unhandled one would be told by now, and fails the run.
    await new Promise(setImmediate)
  })
})
