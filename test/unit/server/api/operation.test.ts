import type { Context } from 'koa'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ApiDependencies } from '../../../../src/server/api/dependencies.ts'
import { NO_CONTENT, type Operation, operation } from '../../../../src/server/api/operation.ts'
import { versionOf } from '../../../../src/server/api/version.ts'
import { createContext } from '../http/context-fixture.ts'

const view = z.strictObject({ name: z.string(), size: z.int() })

/** An operation that answers `result`, whatever it declares. */
const answering = (result: unknown): Operation =>
  operation({
    id: 'getThing',
    method: 'get',
    path: '/things/{id}',
    tag: 'Things',
    summary: 'Read a thing',
    access: 'public',
    params: z.object({ id: z.string().regex(/^\d+$/) }),
    query: z.strictObject({ limit: z.coerce.number().int().optional() }),
    answer: { status: 201, description: 'The thing', schema: view, version: ({ name }) => ({ name }) },
    handle: async () => result as z.input<typeof view>,
  })

const DEPENDENCIES = { clock: () => new Date() } as ApiDependencies

async function perform(one: Operation, url = '/things/7', id = '7'): Promise<Context> {
  const ctx = Object.assign(createContext({ url }), { params: { id } })
  await one.perform(ctx, DEPENDENCIES)
  return ctx
}

const thing = { name: 'x', size: 1 }

describe('an operation', () => {
  it('answers what it declares, with its status and the version of what may change', async () => {
    const ctx = await perform(answering(thing))
    expect([ctx.status, ctx.body]).toEqual([201, thing])
    expect(ctx.response.get('ETag')).toBe(versionOf({ name: 'x' }))
  })

  it.each([
    ['a member that is not declared', { ...thing, secret_hash: '$argon2id$' }],
    ['a member that is missing', { name: 'x' }],
    ['a member of another type', { name: 'x', size: '1' }],
    ['nothing', undefined],
    ['a list', [thing]],
  ])('that answers %s fails, and says nothing of it', async (_, result) => {
    const ctx = Object.assign(createContext(), { params: { id: '7' } })
    await expect(answering(result).perform(ctx, DEPENDENCIES)).rejects.toThrow(
      'getThing answered what it does not declare',
    )
    expect([ctx.body, ctx.response.get('ETag')]).toEqual([undefined, undefined])
  })

  it('that declares no body fails when there is one', async () => {
    const silent = (result: unknown): Operation =>
      operation({
        id: 'deleteThing',
        method: 'delete',
        path: '/things',
        tag: 'Things',
        summary: 'Delete a thing',
        access: 'public',
        answer: NO_CONTENT,
        handle: async () => result as undefined,
      })
    const ctx = Object.assign(createContext({ method: 'DELETE' }), { params: {} })
    await silent(undefined).perform(ctx, DEPENDENCIES)
    expect([ctx.status, ctx.body]).toEqual([204, undefined])
    await expect(silent(thing).perform(ctx, DEPENDENCIES)).rejects.toThrow(
      'deleteThing answered what it does not declare',
    )
  })

  it('does not look up what its path cannot name', async () => {
    await expect(perform(answering(thing), '/things/x', 'x')).rejects.toMatchObject({ code: 'not_found' })
  })

  it.each(['?limit=x', '?unknown=1', '?limit=1&limit=2'])('refuses the query %s', async (query) => {
    await expect(perform(answering(thing), `/things/7${query}`)).rejects.toMatchObject({
      code: 'invalid_request',
    })
  })
})
