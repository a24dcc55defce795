import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readStatus, readStatusList, type StatusList } from '../../../src/verify/status-list.ts'
import { VECTORS } from '../../support/status-list-vectors.ts'
import { ISSUER, LIST_URI, NOW, NOW_SECONDS } from './issuer-fixture.ts'

const EXPECTED = { issuer: ISSUER, uri: LIST_URI, clockToleranceSeconds: 5 }
const lstOf = (...bytes: number[]) => deflateSync(Uint8Array.from(bytes)).toString('base64url')
const CLAIMS = {
  sub: LIST_URI,
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 300,
  ttl: 30,
  status_list: { bits: 2, lst: lstOf(0b11100100) },
}

const read = (claims: unknown, nowMs = NOW.getTime()): Promise<StatusList> =>
  readStatusList(new TextEncoder().encode(JSON.stringify(claims)), EXPECTED, nowMs)

describe('a status list', () => {
  it.each(VECTORS)('of the draft, with $size statuses of $bits bits, says what it says', async (vector) => {
    const { size, bits, statuses, lst } = vector
    const list = await read({ ...CLAIMS, status_list: { bits, lst } })
    const told = new Map(statuses)
    for (let index = 0; index < size; index += size > 100 ? 97 : 1) {
      expect(readStatus(list, index)).toBe(told.get(index) ?? 0)
    }
    for (const [index, status] of told) expect(readStatus(list, index)).toBe(status)
    expect(readStatus(list, (list.bytes.length * 8) / bits)).toBeUndefined()
  })

  it('says when it was made, how long it holds and when a newer one is wanted', async () => {
    expect(await read(CLAIMS)).toEqual({
      bits: 2,
      bytes: Uint8Array.of(0b11100100),
      issuedAt: NOW.getTime(),
      expiresAt: NOW.getTime() + 305_000,
      ttlMs: 30_000,
    })
  })

  it('names no member twice', async () => {
    const text = JSON.stringify(CLAIMS).replace('{', '{"ttl":1,')
    const reading = readStatusList(new TextEncoder().encode(text), EXPECTED, NOW.getTime())
    await expect(reading).rejects.toThrow(new Error('the claims of the status list are not a JSON object'))
  })

  it('may have no exp, no ttl, and an iss', async () => {
    const { exp: _, ttl: __, ...claims } = CLAIMS
    expect(await read({ ...claims, iss: ISSUER })).toMatchObject({
      expiresAt: Number.POSITIVE_INFINITY,
      ttlMs: 60_000,
    })
  })

  it('holds until its exp and the tolerance are over, and not a millisecond longer', async () => {
    const end = (CLAIMS.exp + 5) * 1000
    await expect(read(CLAIMS, end - 1)).resolves.toBeDefined()
    await expect(read(CLAIMS, end)).rejects.toThrow(new Error('the status list has expired'))
    await expect(read(CLAIMS, Number.NaN)).rejects.toThrow()
  })

  it('may be of a clock that is a minute ahead, and not a second more', async () => {
    await expect(read({ ...CLAIMS, iat: NOW_SECONDS + 60 })).resolves.toBeDefined()
    await expect(read({ ...CLAIMS, iat: NOW_SECONDS + 61 })).rejects.toThrow(
      new Error('the iat claim of the status list is not valid'),
    )
  })

  it.each([
    ['sub', undefined, 'the status list is another one'],
    ['sub', `${LIST_URI}/`, 'the status list is another one'],
    ['sub', LIST_URI.replace('/0', '/1'), 'the status list is another one'],
    ['iss', `${ISSUER}/`, 'the status list is from another issuer'],
    ['iss', null, 'the status list is from another issuer'],
    ['iat', undefined, 'the iat claim of the status list is not valid'],
    ['iat', `${NOW_SECONDS}`, 'the iat claim of the status list is not valid'],
    ['exp', null, 'the exp claim of the status list is not valid'],
    ['exp', 'never', 'the exp claim of the status list is not valid'],
    ['ttl', 0, 'the ttl claim of the status list is not valid'],
    ['ttl', -1, 'the ttl claim of the status list is not valid'],
    ['ttl', '30', 'the ttl claim of the status list is not valid'],
    ['status_list', undefined, 'the status_list claim of the status list is not valid'],
    ['status_list', [], 'the status_list claim of the status list is not valid'],
    ['status_list', { bits: 3, lst: lstOf(0) }, 'the status_list claim of the status list is not valid'],
    ['status_list', { bits: '1', lst: lstOf(0) }, 'the status_list claim of the status list is not valid'],
    ['status_list', { bits: 1 }, 'the status_list claim of the status list is not valid'],
  ])('is none with %s of %j', async (name, value, message) => {
    await expect(read({ ...CLAIMS, [name]: value })).rejects.toThrow(new Error(message))
  })

  it.each([null, [], 7, 'text'])('is not the claims %j', async (claims) => {
    await expect(read(claims)).rejects.toThrow(
      new Error('the claims of the status list are not a JSON object'),
    )
  })

  it.each([
    ['is not base64url', '$$$'],
    ['is not packed by zlib', 'AAAA'],
    ['breaks off', lstOf(...Array<number>(999).fill(7)).slice(0, -4)],
    ['unpacks to more than 2^20 bytes', deflateSync(Buffer.alloc(2 ** 20 + 1)).toString('base64url')],
  ])('is none when lst %s', async (_name, lst) => {
    await expect(read({ ...CLAIMS, status_list: { bits: 8, lst } })).rejects.toThrow()
  })

  it('may have 2^20 statuses of eight bits', async () => {
    const lst = deflateSync(Buffer.alloc(2 ** 20, 1)).toString('base64url')
    const list = await read({ ...CLAIMS, status_list: { bits: 8, lst } })
    expect([readStatus(list, 2 ** 20 - 1), readStatus(list, 2 ** 20)]).toEqual([1, undefined])
  })
})
