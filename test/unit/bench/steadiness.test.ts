import { describe, expect, it } from 'vitest'
import { measureSlowWindows, shareOfSlow } from '../../bench/meter/steadiness.ts'

describe('the steadiness of a machine', () => {
  it('is the share of windows that got through less than half of the usual', () => {
    expect(shareOfSlow([100, 100, 49, 100, 100, 100, 51, 100, 100, 0])).toBe(20)
  })

  it('does not count what is exactly half', () => {
    expect(shareOfSlow([100, 100, 50, 100])).toBe(0)
  })

  it('is measured, whatever the machine', () => {
    const percent = measureSlowWindows(0.1)
    expect(percent).toBeGreaterThanOrEqual(0)
    // Half of the windows are at the median or above it.
    expect(percent).toBeLessThanOrEqual(50)
  })
})
