import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readQuestion } from '../../../../src/server/provider/forward-auth-question.ts'
import { PAT } from '../../protocol/credential-fixture.ts'

const QUESTION = 'audience=https://api.example.com&scope=models:read'

const asks = (...authorization: string[]) => ({ headersDistinct: { authorization } })
/** What is asked for, with the credential; a word for what is not. */
function read(query: string, request: Parameters<typeof readQuestion>[0] = asks(`Bearer ${PAT}`)) {
  const question = readQuestion(request, query)
  if (question === undefined) return 'nothing is presented'
  if (!question.ok) return question.error
  const { subjectToken, ...wish } = question.value.request
  return { ...wish, kind: subjectToken.kind, scope: question.value.scope }
}

const ASKED = {
  audiences: ['https://api.example.com'],
  scopes: ['models:read'],
  details: null,
  actorToken: null,
  kind: 'personal',
  scope: 'models:read',
}
const MALFORMED = { reason: 'subject_token_refused', cause: 'credential_malformed' }

describe('the question of a proxy', () => {
  it('is what its query says, of the credential in the header', () => {
    expect(read(QUESTION)).toEqual(ASKED)
    expect(read('scope=models%3Aread+models/m1:write&audience=a')).toMatchObject({
      audiences: ['a'],
      scopes: ['models:read', 'models/m1:write'],
    })
    expect(read('audience=a')).toMatchObject({ scopes: null, scope: undefined })
  })

  it('is never changed by what stands behind original=', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (tail) => {
        expect(read(`${QUESTION}&original=${tail}`)).toEqual(ASKED)
      }),
    )
  })

  it('never asks for a scope alone that its proxy did not, whatever a client appends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (tail) => {
        try {
          const { scopes } = read(`${QUESTION}/${tail}`) as typeof ASKED
          expect(scopes[0]).toMatch(/^models:read\//)
        } catch (error) {
          expect(error).toMatchObject({ status: 400 })
        }
      }),
    )
  })
})

describe('the header', () => {
  it.each([
    ['nothing', [], 'nothing is presented'],
    ['another scheme', ['Basic eDp5'], 'nothing is presented'],
    ['a longer scheme', [`Bearer2 ${PAT}`], 'nothing is presented'],
    ['the scheme alone', ['Bearer '], 'nothing is presented'],
    ['the scheme in small letters', [`bearer ${PAT}`], ASKED],
    ['several blanks', [`Bearer   ${PAT}`], ASKED],
    ['no credential', ['Bearer x'], MALFORMED],
    ['a credential with more behind it', [`Bearer ${PAT} x`], MALFORMED],
    ['two headers', [`Bearer ${PAT}`, `Bearer ${PAT}`], MALFORMED],
    ['two headers of two schemes', ['Basic eDp5', `Bearer ${PAT}`], MALFORMED],
  ])('with %s', (_, authorization, expected) => {
    expect(read(QUESTION, asks(...authorization))).toEqual(expected)
  })

  it('with a proof is no credential that works here', () => {
    expect(read(QUESTION, { headersDistinct: { authorization: [`Bearer ${PAT}`], dpop: [''] } })).toEqual(
      MALFORMED,
    )
  })
})
