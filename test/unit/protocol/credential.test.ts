import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { displayPrefix, generateCredential, parseCredential } from '../../../src/protocol/credential.ts'
import {
  API_KEY,
  anyCredential,
  CHECKSUM,
  credentialParts,
  ID,
  makeCredential,
  PAT,
  SECRET,
} from './credential-fixture.ts'

const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))

const isAccepted = (text: string): boolean => parseCredential(text) !== undefined

describe('the credential format', () => {
  it('is prefix, id, secret and checksum, for each kind', () => {
    expect(makeCredential('personal').reveal()).toBe(PAT)
    expect(makeCredential('organization').reveal()).toBe(API_KEY)
  })

  it('matches the expression that secret scanners are given', () => {
    fc.assert(
      fc.property(anyCredential, (credential) => {
        expect(credential.reveal()).toMatch(/^(pat|key)_[0-9a-f]{64}$/)
      }),
    )
  })

  it('ends in the CRC-32 of the 56 characters before it', () => {
    fc.assert(
      fc.property(anyCredential, (credential) => {
        const text = credential.reveal()
        expect(text.slice(60)).toBe(crc32(text.slice(4, 60)).toString(16).padStart(8, '0'))
      }),
    )
  })
})

describe('generateCredential', () => {
  it('takes 8 random bytes for the id and then 20 for the secret', () => {
    const asked: number[] = []
    const credential = generateCredential('personal', (n) => {
      asked.push(n)
      return new Uint8Array(n).fill(asked.length)
    })
    expect(asked).toEqual([8, 20])
    expect(credential.id).toBe('01'.repeat(8))
    expect(credential.revealSecret()).toBe('02'.repeat(20))
  })

  it('keeps leading zeros', () => {
    const credential = generateCredential('organization', (n) => new Uint8Array(n))
    expect(credential.reveal()).toBe(
      `key_${'0'.repeat(56)}${crc32('0'.repeat(56)).toString(16).padStart(8, '0')}`,
    )
  })
})

describe('parseCredential', () => {
  it('reads the parts of a PAT and of an API key', () => {
    const pat = parseCredential(PAT)
    expect([pat?.kind, pat?.id, pat?.revealSecret()]).toEqual(['personal', ID, SECRET])
    const key = parseCredential(API_KEY)
    expect([key?.kind, key?.id, key?.revealSecret()]).toEqual(['organization', ID, SECRET])
  })

  it('reads back every credential that can be made', () => {
    fc.assert(
      fc.property(credentialParts, ({ kind, id, secret }) => {
        const text = makeCredential(kind, id, secret).reveal()
        const parsed = parseCredential(text)
        expect([parsed?.kind, parsed?.id, parsed?.revealSecret(), parsed?.reveal()]).toEqual([
          kind,
          id,
          secret,
          text,
        ])
      }),
    )
  })

  it('refuses a credential whose checksum is wrong', () => {
    expect(isAccepted(PAT)).toBe(true)
    expect(isAccepted(`pat_${ID}${SECRET}00000000`)).toBe(false)
    expect(isAccepted(`pat_${ID}${SECRET.slice(0, -1)}e${CHECKSUM}`)).toBe(false)
  })

  it('refuses any other printable character at any place', () => {
    const accepted = [...PAT].flatMap((original, index) =>
      PRINTABLE.filter((char) => char !== original)
        .map((char) => PAT.slice(0, index) + char + PAT.slice(index + 1))
        .filter(isAccepted),
    )
    expect(accepted).toEqual([])
  })

  it('refuses every change of one character, in every credential', () => {
    const change = fc.tuple(
      anyCredential,
      fc.nat(67),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    )
    fc.assert(
      fc.property(change, ([credential, index, char]) => {
        const text = credential.reveal()
        fc.pre(text[index] !== char)
        expect(isAccepted(text.slice(0, index) + char + text.slice(index + 1))).toBe(false)
      }),
      { numRuns: 1000 },
    )
  })

  it('refuses two neighbours that changed places', () => {
    fc.assert(
      fc.property(anyCredential, fc.nat(66), (credential, index) => {
        const text = credential.reveal()
        const [left = '', right = ''] = text.slice(index, index + 2)
        fc.pre(left !== right)
        expect(isAccepted(text.slice(0, index) + right + left + text.slice(index + 2))).toBe(false)
      }),
    )
  })

  it('refuses one character too few or too many', () => {
    fc.assert(
      fc.property(
        anyCredential,
        fc.nat(68),
        fc.constantFrom(...'0123456789abcdef'),
        (credential, index, char) => {
          const text = credential.reveal()
          if (index < text.length)
            expect(isAccepted(text.slice(0, index) + text.slice(index + 1))).toBe(false)
          expect(isAccepted(text.slice(0, index) + char + text.slice(index))).toBe(false)
        },
      ),
    )
  })

  it.each([
    ['nothing', ''],
    ['a prefix alone', 'pat_'],
    ['upper case', PAT.toUpperCase()],
    ['an upper-case prefix', PAT.replace('pat', 'PAT')],
    ['upper-case hexadecimal', `pat_${PAT.slice(4).toUpperCase()}`],
    ['another prefix', PAT.replace('pat_', 'ghp_')],
    ['no prefix', PAT.slice(4)],
    ['blanks around', ` ${PAT} `],
    ['a line break after', `${PAT}\n`],
    ['a second credential after', `${PAT}${PAT}`],
    ['a scheme before', `Bearer ${PAT}`],
    ['digits of another script', PAT.replace('0', '٠')],
  ])('refuses %s', (_, text) => {
    expect(isAccepted(text)).toBe(false)
  })

  it('refuses any text that is not a credential', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        expect(parseCredential(text)).toBeUndefined()
      }),
    )
  })
})

describe('displayPrefix', () => {
  it('is the first 10 characters, for each kind', () => {
    expect(displayPrefix('personal', ID)).toBe('pat_012345')
    expect(displayPrefix('organization', ID)).toBe('key_012345')
  })

  it('is how the credential itself begins', () => {
    fc.assert(
      fc.property(anyCredential, (credential) => {
        expect(displayPrefix(credential.kind, credential.id)).toBe(credential.reveal().slice(0, 10))
      }),
    )
  })
})
