import { describe, expect, it } from 'vitest'
import * as forExpress from '../../../src/verify/express.ts'
import * as forFastify from '../../../src/verify/fastify.ts'
import { CLAIMS } from './issuer-fixture.ts'

describe('readClaims', () => {
  const fastifyRequest = { method: 'GET', originalUrl: '/', raw: { rawHeaders: [] } }

  it('gives a handler the claims', () => {
    expect(forExpress.readClaims({ auth: CLAIMS })).toBe(CLAIMS)
    expect(forFastify.readClaims({ ...fastifyRequest, auth: CLAIMS })).toBe(CLAIMS)
  })

  it('throws in a route that was left without the middleware, rather than let it go on without', () => {
    const problem = new TypeError('readClaims: there is no requireToken before this handler')
    expect(() => forExpress.readClaims({})).toThrow(problem)
    expect(() => forFastify.readClaims({ ...fastifyRequest, auth: null })).toThrow(problem)
  })
})
