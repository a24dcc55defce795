// `/tokens` for somebody who signed in, as long as nobody can: the real operations over HTTP on a server's own
// database, with an interactive caller in place of the one a credential would give.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Router from '@koa/router'
import Koa from 'koa'
import { pino } from 'pino'
import { parseCredential } from '../../src/protocol/credential.ts'
import type { Caller } from '../../src/server/api/caller.ts'
import type { ApiDependencies } from '../../src/server/api/dependencies.ts'
import { API_PREFIX } from '../../src/server/api/operation.ts'
import { tokenOperations } from '../../src/server/api/tokens.ts'
import { findCredential } from '../../src/server/credential/find.ts'
import { CredentialHasher } from '../../src/server/credential/hash.ts'
import { HashQueue } from '../../src/server/credential/hash-queue.ts'
import { createMakeCredential } from '../../src/server/credential/issue.ts'
import { deriveCredentialKeys } from '../../src/server/credential/mark.ts'
import { subjectOf } from '../../src/server/credential/standing.ts'
import { isDatabaseAway } from '../../src/server/db/database.ts'
import { observe } from '../../src/server/http/edge.ts'
import { createMakeChange } from '../../src/server/ledger/change.ts'
import type { TestServer } from './test-server.ts'

const SCOPES = ['tokens:read', 'tokens:write']
const CHEAPEST = { memoryKib: 8, passes: 1, lanes: 1 }

export interface SignedIn {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Serves `/tokens` to the owner of `pat`, in its organization; `secretKey` is the server's. */
export async function serveSignedIn(
  { db }: Pick<TestServer, 'db'>,
  pat: string,
  secretKey: string,
): Promise<SignedIn> {
  const keys = deriveCredentialKeys([Buffer.from(secretKey, 'base64url')])
  const queue = new HashQueue({ atOnce: 1, waiting: 100, waitMs: 10_000 })
  // All that the operations of `/tokens` take of their dependencies.
  const dependencies = {
    db,
    change: createMakeChange(db),
    makeCredential: createMakeCredential(new CredentialHasher(keys, CHEAPEST, queue)),
    clock: () => new Date(),
  } as unknown as ApiDependencies
  const findCaller = async (): Promise<Caller> => {
    const standing = await findCredential(db, parseCredential(pat)?.id ?? '', () => true)
    if (!standing) throw new Error('there is no such PAT')
    return {
      subject: subjectOf(standing),
      actor: subjectOf(standing),
      standing,
      scopes: SCOPES,
      permissions: [],
      isPlatformWide: false,
      isInteractive: true,
      holdsCredential: false,
    }
  }
  const router = new Router({ prefix: API_PREFIX })
  for (const operation of tokenOperations) {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, ':$1')
    router.register(path, [operation.method], async (ctx) => {
      await operation.receive(ctx, dependencies)
      ctx.state['caller'] = await findCaller()
      await operation.perform(ctx, dependencies)
    })
  }
  const app = new Koa().use(observe(pino({ level: 'silent' }), isDatabaseAway)).use(router.routes())
  const server = createServer(app.callback())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
