// `dpop_required` of a resource server, over the API and in a declarative file, and how an exchange is explained there.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { newDataDir } from '../../support/server-process.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const call = (method: string, path: string, body?: unknown) =>
  callApi(acme.url, acme.adminToken, method, path, body)

async function findServer(): Promise<Record<string, unknown>> {
  const { json } = await call('GET', `/resource-servers?audience=${encodeURIComponent(API)}`)
  return (json['items'] as Record<string, unknown>[])[0] ?? {}
}

const exchange = () => requestExchange(acme.url, { subject_token: acme.janePat, audience: API })
const explain = async (more: Record<string, unknown> = {}) =>
  (
    await callApi(acme.url, acme.janePat, 'POST', '/exchange/explain', {
      credential: acme.janePat.slice(4, 20),
      audience: API,
      ...more,
    })
  ).json

describe('dpop_required', () => {
  it('binds at the next exchange, and is explained', async () => {
    const { id } = await findServer()
    const changed = await call('PATCH', `/resource-servers/${id}`, { dpop_required: true })
    expect(changed.json['dpop_required']).toBe(true)
    const answer = await exchange()
    expect(answer.json).toEqual({
      error: 'invalid_dpop_proof',
      error_description: 'a DPoP proof is required',
    })
    expect(await explain()).toMatchObject({ outcome: 'refused', cause: 'proof_required', error: answer.json })
    const granted = await explain({ dpop_jkt: 'a'.repeat(43) })
    expect(granted).toMatchObject({ outcome: 'granted', cause: null })
    expect((granted['steps'] as unknown[]).at(-1)).toEqual({
      step: 'proof',
      outcome: 'pass',
      detail: `The token is bound to the key ${'a'.repeat(43)}`,
    })
    await call('PATCH', `/resource-servers/${id}`, { dpop_required: false })
    expect((await exchange()).json['token_type']).toBe('Bearer')
  })

  it('stands in the declarative file', async () => {
    const file = join(newDataDir(), 'required.yaml')
    const audience = 'https://bound.example.com'
    const declare = (isRequired: boolean) => {
      writeFileSync(
        file,
        `resource_servers: [{ audience: "${audience}", name: Bound, scopes: {}, dpop_required: ${isRequired} }]\n`,
      )
      return acme.apply([file])
    }
    expect(await declare(true)).toEqual([`created resource server ${audience}`])
    expect(await declare(true)).toEqual(['nothing to change'])
    expect(await declare(false)).toEqual([`updated resource server ${audience} (dpop_required)`])
  })
})
