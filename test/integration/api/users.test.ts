import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../../support/acme.ts'
import { callApi } from '../../support/requests.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const listEmails = async (query: string) => {
  const { status, json } = await callApi(acme.url, acme.adminToken, 'GET', `/users${query}`)
  expect(status).toBe(200)
  const emails = (json['items'] as { email: string }[]).map(({ email }) => email)
  return { emails, cursor: json['next_cursor'] }
}

describe('GET /users', () => {
  it('finds an e-mail address in any case of letters', async () => {
    expect((await listEmails('?email=JANE%40acme.test')).emails).toEqual(['jane@acme.test'])
    expect((await listEmails('?email=nobody%40acme.test')).emails).toEqual([])
  })

  it.each(['%00', 'jane%00@acme.test', '%1f', '%7F', '%C2%80', '%0A'])(
    'refuses the control character in ?email=%s',
    async (email) => {
      const { status, json } = await callApi(acme.url, acme.adminToken, 'GET', `/users?email=${email}`)
      expect([status, json]).toEqual([
        400,
        {
          type: 'about:blank',
          title: expect.any(String),
          status: 400,
          code: 'invalid_request',
          detail: 'email: must not hold control characters',
          problems: [{ path: 'email', message: 'must not hold control characters' }],
        },
      ])
    },
  )

  it('takes any other text, and finds nobody', async () => {
    for (const email of ['%20', "'", '%25', '%C3%BC', '%F0%9F%98%80'])
      expect((await listEmails(`?email=${email}`)).emails).toEqual([])
  })

  it.each([1, 2, 3])('pages through all of them once, oldest first, by %i', async (limit) => {
    const all = (await listEmails('')).emails
    expect(all[0]).toBe('admin@localhost')
    expect(new Set(all).size).toBe(4)
    const paged: string[] = []
    let next = ''
    do {
      const { emails, cursor } = await listEmails(`?limit=${limit}${next}`)
      paged.push(...emails)
      next = cursor === null ? '' : `&cursor=${cursor}`
    } while (next)
    expect(paged).toEqual(all)
  })
})
