import { describe, expect, it } from 'vitest'
import { readOptions } from '../../bench/options.ts'

describe('the command line of the benchmark', () => {
  it('measures everything but the soak, at full size, on a Postgres of its own, with one worker', () => {
    const options = readOptions([], {})
    expect([...options.groups]).toEqual(['warm', 'large', 'cold', 'flood', 'jwks', 'introspection', 'verify'])
    expect(options).toMatchObject({
      largeCredentials: 1_000_000,
      largeAuditEvents: 10_000_000,
      isJson: false,
    })
    expect(options).toMatchObject({ databaseUrl: undefined, settings: { PATMINT_WORKERS: '1' } })
  })

  it('is smaller and shorter with --quick, of the size asked for with --rows', () => {
    expect(readOptions(['--quick'], {}).largeCredentials).toBeLessThan(10_000)
    expect(readOptions(['--quick', '--rows', '5,7'], {})).toMatchObject({
      largeCredentials: 5,
      largeAuditEvents: 7,
    })
  })

  it('measures only what --only names', () => {
    expect([...readOptions(['--only', 'warm,soak', '--soak', '600'], {}).groups]).toEqual(['warm', 'soak'])
  })

  it('adds the soak with --soak, which takes ten minutes when nobody says how long', () => {
    const options = readOptions(['--soak', '30'], {})
    expect(options.groups.has('soak')).toBe(true)
    expect(options.soakSeconds).toBe(30)
    expect(readOptions(['--only', 'soak'], {}).soakSeconds).toBe(600)
  })

  it('passes settings on to the server, and takes a database from the environment', () => {
    const options = readOptions(['--set', 'PATMINT_WORKERS=auto', '--set', 'PATMINT_LOG_LEVEL=warn'], {
      BENCH_DATABASE_URL: 'postgres://localhost/bench',
    })
    expect(options.settings).toEqual({ PATMINT_WORKERS: 'auto', PATMINT_LOG_LEVEL: 'warn' })
    expect(options.databaseUrl).toBe('postgres://localhost/bench')
  })
})
