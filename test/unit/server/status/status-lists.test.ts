import { expect, it } from 'vitest'
import { StatusLists } from '../../../../src/server/status/status-lists.ts'

it('a list that was given out is not kept waiting by the number of lists', async () => {
  let nowMs = Date.UTC(2026, 0, 1)
  const counts = [Promise.resolve(1), new Promise<number>(() => {})]
  const lists = new StatusLists({
    issuer: 'https://sts.example.test',
    ttlSeconds: 30,
    lifetimeSeconds: 600,
    countLists: () => counts.shift() ?? Promise.reject(new Error('asked too often')),
    findStopped: async () => ({ invalid: [], suspended: [] }),
    sign: async (claims) => JSON.stringify(claims),
    isVerifiable: () => true,
    clock: () => new Date(nowMs),
    onError: () => {},
  })
  const { token: first } = (await lists.find(0)) ?? {}
  nowMs += 20_000
  const { token: second } = (await lists.find(0)) ?? {}
  expect([first, second].map((token) => JSON.parse(String(token)).iat)).toEqual([
    Date.UTC(2026, 0, 1) / 1000,
    Date.UTC(2026, 0, 1) / 1000 + 20,
  ])
})
