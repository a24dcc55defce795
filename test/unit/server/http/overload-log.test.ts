import { describe, expect, it } from 'vitest'
import { createLogger } from '../../../../src/server/http/log.ts'
import { createOverloadLog } from '../../../../src/server/http/overload-log.ts'

describe('the log of an overload', () => {
  it('has a line when it begins, and every ten seconds one that tells how many were left out', () => {
    const lines: Record<string, unknown>[] = []
    const log = createLogger('info', { write: (line) => lines.push(JSON.parse(line)) })
    let now = new Date('2026-01-01T00:00:00Z').getTime()
    const tell = createOverloadLog(log, () => new Date(now))
    for (let n = 0; n < 1000; n += 1) tell('too_many_in_flight')
    now += 9999
    tell('hash_queue_full')
    expect(lines).toMatchObject([
      { level: 'warn', msg: 'overloaded', reason: 'too_many_in_flight', untold: 0 },
    ])
    now += 1
    tell('hash_queue_slow')
    expect(lines.slice(1)).toMatchObject([{ level: 'warn', reason: 'hash_queue_slow', untold: 1000 }])
  })
})
