import { describe, expect, it } from 'vitest'
import { isDatabaseAway } from '../../../../src/server/db/database.ts'

const withCode = (code: string): Error => Object.assign(new Error('x'), { code })

describe('isDatabaseAway', () => {
  it.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ECONNABORTED',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EPIPE',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EAI_AGAIN',
    '08006',
    '53300',
    '57014',
    '57P01',
    '40P01',
    '25006',
    '25P03',
    '55P03',
    '28000',
    '3D000',
  ])('is so for %s, also as a cause', (code) => {
    expect(isDatabaseAway(withCode(code))).toBe(true)
    expect(isDatabaseAway(new Error('x', { cause: withCode(code) }))).toBe(true)
  })

  it.each([
    'timeout exceeded when trying to connect',
    'Query read timeout',
    'timeout expired',
    'Client was closed and is not queryable',
    'Connection terminated unexpectedly',
    'Client has encountered a connection error and is not queryable',
  ])('is so when the driver says: %s', (message) => {
    expect(isDatabaseAway(new Error(message))).toBe(true)
  })

  it.each(['23505', '08P01', '42P01', '25001', 'ERR_INVALID_ARG_TYPE'])('is not so for %s', (code) => {
    expect(isDatabaseAway(withCode(code))).toBe(false)
  })

  it.each([undefined, null, 'ECONNRESET', { code: 'ECONNRESET' }])(
    'is not so for what is no error: %o',
    (value) => {
      expect(isDatabaseAway(value)).toBe(false)
    },
  )
})
