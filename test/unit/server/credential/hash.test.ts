import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import { beforeEach, describe, expect, it } from 'vitest'
import { OverloadError } from '../../../../src/protocol/overload.ts'
import { CredentialHasher, type HashParameters } from '../../../../src/server/credential/hash.ts'
import { HashQueue } from '../../../../src/server/credential/hash-queue.ts'
import { deriveCredentialKeys, makeMark, packMark, readMark } from '../../../../src/server/credential/mark.ts'
import { UnknownSecretKeyError } from '../../../../src/server/secret/secret-keys.ts'
import { makeCredential, SECRET } from '../../protocol/credential-fixture.ts'
import { CHEAPEST, createHasher, KEY_A, KEY_B } from './hasher-fixture.ts'

const credential = makeCredential()
const other = makeCredential('personal', '0123456789abcdef', 'ab'.repeat(20))
/** The id of the secret key that a hash names. */
const keyIdOf = (hash: string): string | undefined => readMark(hash)?.keyId
const idOf = (key: Buffer): string => deriveCredentialKeys([key]).peppers.current.id

/** A hash by another hand, which names `KEY_A`. */
const hashBy = (pepper: Buffer, tag: Buffer): Promise<string> =>
  argon2.hash(SECRET, {
    type: argon2.argon2id,
    memoryCost: 1024,
    timeCost: 1,
    parallelism: 1,
    secret: pepper,
    associatedData: packMark({ keyId: idOf(KEY_A), tag }),
  })
const pepper = deriveCredentialKeys([KEY_A]).peppers.current.bytes
const { tag } = makeMark(deriveCredentialKeys([KEY_A]), credential)

describe('a credential hash', () => {
  it('is an argon2id PHC string with the configured cost, the id of the secret key and a tag of 32 bits', async () => {
    const [, algorithm, version, parameters = '', salt = '', digest = ''] = (
      await createHasher([KEY_A], { memoryKib: 64, passes: 2, lanes: 2 }).hash(credential)
    ).split('$')
    expect([algorithm, version]).toEqual(['argon2id', 'v=19'])
    // HMAC-SHA-256 of id and secret by the derived key, from another implementation.
    const data = Buffer.concat([Buffer.from(idOf(KEY_A), 'base64url'), Buffer.from('f24e53fb', 'hex')])
    expect(parameters.split(',').sort()).toEqual([
      `data=${data.toString('base64').replaceAll('=', '')}`,
      'm=64',
      'p=2',
      't=2',
    ])
    expect(Buffer.from(salt, 'base64')).toHaveLength(16)
    expect(Buffer.from(digest, 'base64')).toHaveLength(32)
  })

  it('has its own salt: two of the same credential differ, and both match', async () => {
    const hasher = createHasher()
    const [first, second] = [await hasher.hash(credential), await hasher.hash(credential)]
    expect(first).not.toBe(second)
    expect([await hasher.matches(credential, first), await hasher.matches(credential, second)]).toEqual([
      true,
      true,
    ])
  })

  it('holds no part of the secret', async () => {
    const hash = await createHasher().hash(credential)
    expect(hash).not.toContain(SECRET)
    expect(hash).not.toContain(Buffer.from(SECRET, 'hex').toString('base64').slice(0, 12))
    expect(hash).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 12))
  })

  it('is worthless without the pepper', async () => {
    const hash = await createHasher().hash(credential)
    expect(await argon2.verify(hash, SECRET)).toBe(false)
    expect(await argon2.verify(hash, SECRET, { secret: randomBytes(32) })).toBe(false)
    expect(
      await argon2.verify(hash, SECRET, { secret: deriveCredentialKeys([KEY_A]).peppers.current.bytes }),
    ).toBe(true)
  })
})

describe('a wrong secret', () => {
  it('does not match, before the right one did and after', async () => {
    const hasher = createHasher()
    const hash = await hasher.hash(credential)
    expect(await hasher.matches(other, hash)).toBe(false)
    expect(await hasher.matches(credential, hash)).toBe(true)
    expect(await hasher.matches(other, hash)).toBe(false)
    expect(await hasher.matches(credential, hash)).toBe(true)
  })

  it('does not match when one character of it is wrong', async () => {
    const hasher = createHasher()
    const hash = await hasher.hash(credential)
    for (const secret of [`0${SECRET.slice(1)}`, `${SECRET.slice(0, -1)}0`]) {
      expect(await hasher.matches(makeCredential('personal', credential.id, secret), hash)).toBe(false)
    }
  })
})

describe('a remembered match', () => {
  it('does not count for a row whose hash changed', async () => {
    const hasher = createHasher()
    const hash = await hasher.hash(credential)
    const replaced = await hasher.hash(other)
    expect(await hasher.matches(credential, hash)).toBe(true)
    expect(await hasher.matches(credential, replaced)).toBe(false)
    expect(await hasher.matches(other, replaced)).toBe(true)
    expect(await hasher.matches(other, hash)).toBe(false)
  })

  it('does not count for another credential with the same id', async () => {
    const hasher = createHasher()
    const hash = await hasher.hash(credential)
    expect(await hasher.matches(credential, hash)).toBe(true)
    expect(await hasher.matches(other, hash)).toBe(false)
  })

  it('does not spare a hash that is damaged', async () => {
    const hasher = createHasher()
    const hash = await hasher.hash(credential)
    expect(await hasher.matches(credential, hash)).toBe(true)
    await expect(hasher.matches(credential, 'gone')).rejects.toThrow('has a hash without a pepper')
  })
})

describe('comparing', () => {
  /** A hasher with the number of hashes it computed. */
  function countHashes() {
    let hashes = 0
    const queue = new HashQueue({ atOnce: 2, waiting: 100, waitMs: 10_000 }, { onHash: () => (hashes += 1) })
    return {
      hasher: new CredentialHasher(deriveCredentialKeys([KEY_A]), CHEAPEST, queue),
      count: () => hashes,
    }
  }

  it('hashes a value once for all who present it at the same time, and not again', async () => {
    const { hasher, count } = countHashes()
    const hash = await hasher.hash(credential)
    const all = await Promise.all(Array.from({ length: 20 }, () => hasher.matches(credential, hash)))
    expect([new Set(all), count()]).toEqual([new Set([true]), 2])
    await hasher.matches(credential, hash)
    expect(count()).toBe(2)
  })

  it("hashes no wrong value, and none that is nobody's", async () => {
    const { hasher, count } = countHashes()
    const hash = await hasher.hash(credential)
    expect(await hasher.matches(other, hash)).toBe(false)
    expect(await hasher.matches(credential, undefined)).toBe(false)
    await hasher.matches(credential, hash)
    // Remembered as it is.
    expect(await hasher.matches(credential, undefined)).toBe(false)
    expect(count()).toBe(2)
  })

  it('believes no tag: the hash decides', async () => {
    const { hasher, count } = countHashes()
    const ofOther = await hashBy(pepper, makeMark(deriveCredentialKeys([KEY_A]), other).tag)
    expect(await hasher.matches(other, ofOther)).toBe(false)
    expect(count()).toBe(1)
  })

  it('hashes whatever is compared with a hash from before there were tags', async () => {
    const { hasher, count } = countHashes()
    const old = await hashBy(pepper, Buffer.alloc(0))
    expect([await hasher.matches(other, old), await hasher.matches(credential, old), count()]).toEqual([
      false,
      true,
      2,
    ])
  })

  it('takes a tag of another length for a wrong one', async () => {
    const old = await hashBy(pepper, tag.subarray(0, 3))
    expect(await createHasher().matches(credential, old)).toBe(false)
  })

  it('fails for all of them when there is no room, and works for the next', async () => {
    const queue = new HashQueue({ atOnce: 1, waiting: 1, waitMs: 10_000 })
    const hasher = new CredentialHasher(deriveCredentialKeys([KEY_A]), CHEAPEST, queue)
    const hash = await hasher.hash(credential)
    const [busy, waiting] = [1, 2].map(() => queue.run(async () => {}))
    const all = await Promise.allSettled(Array.from({ length: 3 }, () => hasher.matches(credential, hash)))
    expect(all.map((one) => one.status === 'rejected' && one.reason)).toEqual(
      Array(3).fill(new OverloadError('hash_queue_full')),
    )
    await Promise.all([busy, waiting])
    expect(await hasher.matches(credential, hash)).toBe(true)
  })
})

describe('an outdated hash', () => {
  const renewals: string[][] = []
  const replaceHash = async (...renewal: string[]): Promise<void> => {
    renewals.push(renewal)
  }
  const errors: unknown[] = []
  const renewal = { replaceHash, onError: (error: unknown) => errors.push(error) }
  const createRenewing = (keys: [Buffer, ...Buffer[]], parameters = CHEAPEST, overrides = {}) =>
    new CredentialHasher(
      deriveCredentialKeys(keys),
      parameters,
      new HashQueue({ atOnce: 2, waiting: 100, waitMs: 10_000 }),
      { renewal: { ...renewal, ...overrides } },
    )
  beforeEach(() => {
    renewals.length = 0
    errors.length = 0
  })

  it.each<[string, [Buffer, ...Buffer[]], HashParameters, () => Promise<string>]>([
    ['by another key', [KEY_B, KEY_A], CHEAPEST, () => createHasher().hash(credential)],
    ['of another cost', [KEY_A], { ...CHEAPEST, passes: 2 }, () => createHasher().hash(credential)],
    ['without a tag', [KEY_A], CHEAPEST, () => hashBy(pepper, Buffer.alloc(0))],
  ])('%s is renewed at its first match', async (_what, keys, parameters, makeHash) => {
    const hasher = createRenewing(keys, parameters)
    const outdated = await makeHash()
    expect(await hasher.matches(credential, outdated)).toBe(true)
    await expect.poll(() => renewals).toHaveLength(1)
    const [[id, replaced, fresh = ''] = []] = renewals
    expect([id, replaced, keyIdOf(fresh)]).toEqual([credential.id, outdated, idOf(keys[0])])
    expect(await hasher.matches(credential, fresh)).toBe(true)
    expect(await createHasher([keys[0]]).matches(credential, fresh)).toBe(true)
    // Of the process that renewed it, whoever thinks otherwise.
    expect(await hasher.matches(credential, outdated)).toBe(true)
    expect([renewals.length, errors]).toEqual([1, []])
  })

  it('is none that was made as one would be now, nor one whose secret is wrong', async () => {
    const hasher = createRenewing([KEY_A])
    expect(await hasher.matches(credential, await hasher.hash(credential))).toBe(true)
    expect(await hasher.matches(other, await hashBy(pepper, Buffer.alloc(0)))).toBe(false)
    expect(renewals).toEqual([])
  })

  it('goes on working when it cannot be renewed', async () => {
    const away = new Error('connection refused')
    const hasher = createRenewing([KEY_B, KEY_A], CHEAPEST, { replaceHash: () => Promise.reject(away) })
    const outdated = await createHasher().hash(credential)
    expect(await hasher.matches(credential, outdated)).toBe(true)
    await expect.poll(() => errors).toEqual([away])
    expect(await hasher.matches(credential, outdated)).toBe(true)
  })
})

describe('remembering', () => {
  it('is of the very value that matched, and of no other with its id', async () => {
    const hasher = createHasher()
    const hash = await hasher.hash(credential)
    expect(hasher.remembers(credential)).toBe(false)
    await hasher.matches(other, hash)
    await hasher.matches(credential, hash)
    expect([hasher.remembers(credential), hasher.remembers(other)]).toEqual([true, false])
  })
})

describe('the pepper', () => {
  it('makes a hash of another installation not match', async () => {
    const forged = await hashBy(randomBytes(32), tag)
    expect(await createHasher([KEY_A]).matches(credential, forged)).toBe(false)
  })

  it('cannot be swapped for another accepted one by renaming it', async () => {
    const hasher = createHasher([KEY_A, KEY_B])
    const hash = await hasher.hash(credential)
    const pack = (key: Buffer): string =>
      packMark(makeMark(deriveCredentialKeys([key]), credential))
        .toString('base64')
        .replaceAll('=', '')
    const renamed = hash.replace(pack(KEY_A), pack(KEY_B))
    expect(keyIdOf(renamed)).toBe(idOf(KEY_B))
    expect(await hasher.matches(credential, renamed)).toBe(false)
  })

  it('is the first of several secret keys for new hashes, and any of them for old ones', async () => {
    const rotated = createHasher([KEY_B, KEY_A])
    const old = await createHasher([KEY_A]).hash(credential)
    const fresh = await rotated.hash(credential)
    expect([old, fresh].map(keyIdOf)).toEqual([idOf(KEY_A), idOf(KEY_B)])
    expect([await rotated.matches(credential, old), await rotated.matches(credential, fresh)]).toEqual([
      true,
      true,
    ])
    expect(await createHasher([KEY_B]).matches(credential, fresh)).toBe(true)
  })

  it('that is no longer configured is a fault, not a mismatch', async () => {
    const hash = await createHasher([KEY_A]).hash(credential)
    await expect(createHasher([KEY_B]).matches(credential, hash)).rejects.toThrow(UnknownSecretKeyError)
  })

  it('that is not named at all is a fault that tells the id and not the secret', async () => {
    const bare = await argon2.hash(SECRET, { memoryCost: 1024, timeCost: 1, parallelism: 1 })
    await expect(createHasher().matches(credential, bare)).rejects.toThrow(
      `credential ${credential.id} has a hash without a pepper`,
    )
  })
})
