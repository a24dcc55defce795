import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  AUDIENCE,
  composeExchange,
  composeGet,
  repeatRequests,
  SCOPE,
  spendRequests,
} from '../../bench/load/requests.ts'
import { CLIENT, ORGANIZATION, ROLE } from '../../bench/stage/server.ts'

describe('a composed request', () => {
  it('is an exchange with the length of its body', () => {
    const [head = '', body = ''] = composeExchange('pat_1').toString().split('\r\n\r\n')
    expect(head.split('\r\n')).toEqual([
      'POST /oauth2/token HTTP/1.1',
      'Host: localhost',
      'User-Agent: patmint-bench',
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${body.length}`,
    ])
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      client_id: 'patmint-cli',
      subject_token: 'pat_1',
      subject_token_type: 'urn:patmint:token-type:pat',
      audience: 'https://api.example.com',
      scope: 'models:read',
    })
  })

  it('names what stands in the directory of the measured server', () => {
    const directory = readFileSync('test/bench/stage/directory.yaml', 'utf8')
    for (const name of [AUDIENCE, SCOPE, CLIENT, ORGANIZATION, ROLE]) expect(directory).toContain(name)
  })
})

describe('requests', () => {
  const [one, two] = [composeGet('/1'), composeGet('/2')]

  it('are repeated in their order, or spent once', () => {
    const repeated = repeatRequests([one, two])
    expect([repeated(), repeated(), repeated()]).toEqual([one, two, one])
    const spent = spendRequests([one, two])
    expect([spent(), spent(), spent(), spent()]).toEqual([one, two, null, null])
  })

  it('are one at least, when they are repeated', () => {
    expect(repeatRequests([])).toThrow('there are no requests')
  })
})
