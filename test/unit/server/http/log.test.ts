import { describe, expect, it } from 'vitest'
import { createLogger } from '../../../../src/server/http/log.ts'
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
    log.info('unheard')
    log.warn('heard')
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['heard'])
  })

  it.each(['authorization', 'subject_token', 'token'])(
    'redacts %s, at the top and one level down',
    (name) => {
      const { lines, log } = capture('info')
      log.info({ [name]: PAT, request: { [name]: PAT } }, 'request')
      expect(lines.join()).not.toContain(SECRET)
      expect(JSON.parse(lines[0] ?? '')).toMatchObject({
        [name]: '[redacted]',
        request: { [name]: '[redacted]' },
      })
    },
  )

  it('prints a credential as [redacted] under any name', () => {
    const { lines, log } = capture('info')
    log.info(
      { presented: makeCredential(), deep: { list: [makeCredential()] } },
      `refused ${makeCredential()}`,
    )
    expect(lines.join()).not.toContain(SECRET)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      presented: '[redacted]',
      deep: { list: ['[redacted]'] },
      msg: 'refused [redacted]',
    })
  })
})
