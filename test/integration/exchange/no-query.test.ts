import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { standingsPart } from '../../../src/server/credential/standing-store.ts'
import { createTurnReader } from '../../../src/server/db/turn-reader.ts'
import { clientsPart } from '../../../src/server/directory/client-store.ts'
import { type Acme, mistype, ORDERS_BASIC, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

describe('queries of an exchange', () => {
  it('are none for a credential with a one-character typo, at any of its places', async () => {
    const typos = Array.from(acme.janePat.slice(4), (character, index) => {
      const other = character === 'a' ? 'b' : 'a'
      return acme.janePat.slice(0, index + 4) + other + acme.janePat.slice(index + 5)
    })
    const answers = await Promise.all(
      [...typos, mistype(acme.janePat), `${acme.janePat} `, acme.janePat.toUpperCase()].map((subject_token) =>
        requestExchange(acme.url, { subject_token }),
      ),
    )
    expect(new Set(answers.map(({ text }) => text))).toEqual(
      new Set(['{"error":"invalid_request","error_description":"subject_token is not valid"}']),
    )
    expect(acme.takeQueries()).toEqual([])
  })

  it('are none for a typo brought by a confidential client, or to the management API', async () => {
    const form = { client_id: undefined, subject_token: mistype(acme.janePat) }
    expect((await requestExchange(acme.url, form, { Authorization: ORDERS_BASIC })).status).toBe(400)
    expect((await callApi(acme.url, mistype(acme.janePat), 'GET', '/tokens')).status).toBe(401)
    expect(acme.takeQueries()).toEqual([])
  })

  it('are one for all that is asked for in one turn of the event loop', async () => {
    const load = createTurnReader(acme.db, { standing: standingsPart, client: clientsPart })
    const ids = [acme.janePat, acme.samPat, acme.janePat].map((pat) => pat.slice(4, 20))
    const [standings, client] = await Promise.all([
      Promise.all([...ids, '0000000000000000'].map(load.standing)),
      load.client('orders-service'),
    ])
    expect(standings.map((standing) => standing?.credential.id)).toEqual([...ids, undefined])
    expect(client?.authMethod).toBe('client_secret_basic')
    expect(acme.takeQueries()).toHaveLength(1)
  })

  it('are two for a granted exchange: what decides it, and its record', async () => {
    await requestExchange(acme.url, { subject_token: acme.janePat })
    expect(acme.takeQueries()).toEqual([
      expect.stringMatching(/^\/\* read_standing_and_client \*\/ select/),
      expect.stringMatching(/^\/\* append/),
    ])
  })

  it('ask anew for what was asked before: nothing about authority is cached', async () => {
    const { standing } = createTurnReader(acme.db, { standing: standingsPart })
    await standing(acme.janePat.slice(4, 20))
    await standing(acme.janePat.slice(4, 20))
    expect(acme.takeQueries()).toHaveLength(2)
  })
})
