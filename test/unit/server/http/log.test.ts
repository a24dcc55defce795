import { describe, expect, it } from 'vitest'
import { createLogger, type LogFields } from '../../../../src/server/http/log.ts'
import { makeCredential, PAT, SECRET } from '../../protocol/credential-fixture.ts'

function capture(level: string) {
  const lines: string[] = []
  return { lines, log: createLogger(level, { write: (line) => void lines.push(line) }) }
}

describe('the log', () => {
  it('is one JSON line per message, with its level by name and its time as an instant', () => {
    const { lines, log } = capture('info')
    log.info({ url: 'http://localhost:8693' }, 'listening')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      url: 'http://localhost:8693',
      msg: 'listening',
    })
  })

  it('leaves out what is below its level', () => {
    const { lines, log } = capture('warn')
    log.info({}, 'unheard')
    log.warn({}, 'heard')
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['heard'])
  })

  it('leaves out what is not in its list of fields, whatever that holds', () => {
    const { lines, log } = capture('info')
    const found: Record<string, unknown> = {
      authorization: PAT,
      token: PAT,
      deep: { secret: PAT },
      toJSON: () => PAT,
      ip: '192.0.2.1',
    }
    log.info(found, 'found')
    log.child(found).info({}, 'by a child')
    expect(lines.map((line) => Object.keys(JSON.parse(line)))).toEqual([
      ['level', 'time', 'ip', 'msg'],
      ['level', 'time', 'ip', 'msg'],
    ])
    expect(lines.join()).not.toContain(SECRET)
  })

  it('shows no credential in a field of its list, nor in what an error says or was caused by', () => {
    const { lines, log } = capture('info')
    const cause = Object.assign(new Error(`no such ${PAT}`), { token: PAT, code: 'E_LOST' })
    const err = new Error(`cannot find ${PAT}`, { cause })
    log.info({ path: `/tokens/${PAT}`, changes: [`added ${PAT}`], clientId: PAT, err }, 'changed')
    expect(lines.join()).not.toContain(SECRET)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      path: '/tokens/[redacted]',
      changes: ['added [redacted]'],
      clientId: '[redacted]',
      err: {
        type: 'Error',
        message: 'cannot find [redacted]',
        cause: { type: 'Error', code: 'E_LOST', message: 'no such [redacted]' },
      },
    })
  })

  it('says null where there is none, and nothing of what is undefined', () => {
    const { lines, log } = capture('info')
    log.info({ clientId: null, ip: undefined }, 'nobody')
    expect(Object.entries(JSON.parse(lines[0] ?? '')).slice(2)).toEqual([
      ['clientId', null],
      ['msg', 'nobody'],
    ])
  })

  it('writes a value of the wrong kind as the kind it should be, and so says nothing of what is in it', () => {
    const { lines, log } = capture('info')
    const wrong = { ip: { secret: PAT }, status: PAT } as unknown as LogFields
    log.info(wrong, 'odd')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ip: '[object Object]', status: null })
    expect(lines.join()).not.toContain(SECRET)
  })

  it('prints a credential in its message as [redacted]', () => {
    const { lines, log } = capture('info')
    log.info({ err: makeCredential() }, `refused ${makeCredential()}`)
    expect(lines.join()).not.toContain(SECRET)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      err: { message: '[redacted]' },
      msg: 'refused [redacted]',
    })
  })

  it('says which trace a line belongs to, where there is one', () => {
    const lines: string[] = []
    const traces = ['0af7651916cd43dd8448eb211c80319c', undefined]
    const log = createLogger('info', { write: (line) => void lines.push(line) }, () => traces.shift())
    log.info({}, 'within')
    log.info({}, 'outside')
    expect(lines.map((line) => JSON.parse(line).trace_id)).toEqual([
      '0af7651916cd43dd8448eb211c80319c',
      undefined,
    ])
  })
})
