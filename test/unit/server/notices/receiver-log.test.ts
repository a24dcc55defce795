import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../../src/server/notices/deliver.ts'
import { createReceiverLog } from '../../../../src/server/notices/receiver-log.ts'

function watch() {
  const lines: unknown[] = []
  const note = (fields: object, message: string): unknown => lines.push({ message, ...fields })
  const tell = createReceiverLog({ warn: note, info: note })
  return {
    lines,
    tell: (receiver: string, end: Outcome['end'], reason: string | null = null) =>
      tell({ notice: { channel: 'webhook', receiver }, end, reason }),
  }
}

describe('the log of receivers', () => {
  it('has one line for one that fails, however often, and one when it is back', () => {
    const { lines, tell } = watch()
    for (let round = 0; round < 1000; round += 1) tell('a', 'retried', 'ECONNREFUSED')
    tell('a', 'delivered')
    tell('a', 'delivered')
    tell('a', 'retried', 'the receiver answered 500')
    expect(lines).toEqual([
      { message: 'notices do not arrive', receiver: 'a', reason: 'ECONNREFUSED' },
      { message: 'notices arrive again', receiver: 'a' },
      { message: 'notices do not arrive', receiver: 'a', reason: 'the receiver answered 500' },
    ])
  })

  it('keeps receivers apart, and says nothing of what is cancelled or simply works', () => {
    const { lines, tell } = watch()
    tell('a', 'retried', 'ETIMEDOUT')
    tell('b', 'delivered')
    tell('b', 'cancelled', 'end_moved')
    tell('a', 'cancelled', 'end_moved')
    expect(lines).toEqual([{ message: 'notices do not arrive', receiver: 'a', reason: 'ETIMEDOUT' }])
  })
})
