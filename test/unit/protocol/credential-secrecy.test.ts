import { format, inspect } from 'node:util'
import { serialize } from 'node:v8'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PresentedCredential, parseCredential } from '../../../src/protocol/credential.ts'
import { anyCredential, ID, makeCredential, PAT, SECRET } from './credential-fixture.ts'

/** Ways in which a value ends up as text by accident. */
const SINKS: Record<string, (credential: PresentedCredential) => string> = {
  'String()': (credential) => String(credential),
  'a template literal': (credential) => `${credential}`,
  concatenation: (credential) => `credential ${credential.toString()}`.concat(String(credential)),
  'array join': (credential) => [credential, credential].join(),
  'a property key': (credential) => Object.keys({ [String(credential)]: 1 }).join(),
  JSON: (credential) => JSON.stringify(credential),
  'JSON, deep inside': (credential) => JSON.stringify({ request: { tokens: [credential] } }),
  'JSON of a copy': (credential) => JSON.stringify({ ...credential }),
  inspect: (credential) => inspect(credential),
  'inspect, everything shown': (credential) =>
    inspect(
      { credential, list: [credential], map: new Map([[credential, credential]]) },
      { depth: null, showHidden: true },
    ),
  'inspect without custom printers': (credential) =>
    inspect(credential, { customInspect: false, showHidden: true }),
  'console formatting': (credential) =>
    format('%s %o %O %j %d %i %f', ...Array(7).fill(credential), credential),
  'console formatting of an object': (credential) => format({ credential }),
  'an error message': (credential) => String(new Error(`refused ${credential}`)),
  'the cause of an error': (credential) =>
    inspect(new Error('refused', { cause: { credential } }), { depth: null }),
  structuredClone: (credential) => inspect(structuredClone(credential), { showHidden: true, depth: null }),
  'v8 serialization': (credential) => serialize(credential).toString('latin1'),
  'its own keys and values': (credential) =>
    JSON.stringify(Reflect.ownKeys(credential).map((key) => [key, Reflect.get(credential, key)])),
  'a locale string': (credential) => credential.toLocaleString(),
}

describe('a presented credential', () => {
  it.each(Object.keys(SINKS))('keeps its secret from %s', (name) => {
    fc.assert(
      fc.property(anyCredential, (credential) => {
        const printed = SINKS[name]?.(credential) ?? credential.reveal()
        expect(printed).not.toContain(credential.revealSecret())
        expect(printed).not.toContain(credential.reveal().slice(-8))
      }),
      { numRuns: 20 },
    )
  })

  it.each(['String()', 'a template literal', 'JSON', 'inspect'])(
    'prints as [redacted] and nothing more through %s',
    (name) => {
      expect(SINKS[name]?.(makeCredential()).replaceAll('"', '')).toBe('[redacted]')
    },
  )

  it('prints as [redacted] also when it was parsed', () => {
    expect(inspect({ token: parseCredential(PAT) })).toBe('{ token: [redacted] }')
  })

  it('has only its public parts as properties', () => {
    const credential = makeCredential()
    expect(Reflect.ownKeys(credential)).toEqual(['kind', 'id'])
    expect(structuredClone(credential)).toEqual({ kind: 'personal', id: ID })
    expect({ ...credential }).toEqual({ kind: 'personal', id: ID })
  })

  it('gives its secret to who asks by name', () => {
    expect(makeCredential().revealSecret()).toBe(SECRET)
    expect(makeCredential().reveal()).toBe(PAT)
  })
})
