// A secret key is replaced, and credentials move to the new one as they are used.

import { expect, it } from 'vitest'
import { readMark } from '../../../src/server/credential/mark.ts'
import { deriveKeys } from '../../../src/server/secret/secret-keys.ts'
import { startAcme } from '../../support/acme.ts'
import { requestExchange } from '../../support/requests.ts'
import { newSecretKey } from '../../support/server-process.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

const idOf = (secretKey: string): string =>
  deriveKeys([Buffer.from(secretKey, 'base64url')], 'credential-tag').current.id

async function findKeyId({ db }: TestServer, pat: string): Promise<string | undefined> {
  const { secret_hash } = await db
    .selectFrom('credentials')
    .select('secret_hash')
    .where('id', '=', pat.slice(4, 20))
    .executeTakeFirstOrThrow()
  return readMark(secret_hash)?.keyId
}

it('a credential that was exchanged while both keys were there needs the old one no more', async () => {
  const [old, fresh] = [newSecretKey(), newSecretKey()]
  const url = await createTestDatabase()
  const start = (PATMINT_SECRET_KEY: string) =>
    startTestServer({ PATMINT_DATABASE_URL: url, PATMINT_SECRET_KEY })
  const first = await startAcme({ PATMINT_DATABASE_URL: url, PATMINT_SECRET_KEY: old })
  const { janePat, samPat } = first
  await first.stop()

  const both = await start(`${fresh},${old}`)
  expect((await requestExchange(both.url, { subject_token: janePat })).status).toBe(200)
  await expect.poll(() => findKeyId(both, janePat)).toBe(idOf(fresh))
  expect(await findKeyId(both, samPat)).toBe(idOf(old))
  expect((await requestExchange(both.url, { subject_token: janePat })).status).toBe(200)
  await both.stop()

  const last = await start(fresh)
  expect((await requestExchange(last.url, { subject_token: janePat })).status).toBe(200)
  // As documented: it is a fault, and no refusal.
  expect((await requestExchange(last.url, { subject_token: samPat })).status).toBe(500)
  await last.stop()
})
