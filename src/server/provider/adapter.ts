// oidc-provider's storage: clients come from the directory, everything else is a row of `oidc_artifacts`.

import { createHash } from 'node:crypto'
import {
  type Adapter,
  type AdapterFactory,
  type AdapterPayload,
  errors,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider'
import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import type { PublishedKeys } from '../client-keys/published-keys.ts'
import type { KeySet } from '../client-keys/read-key-set.ts'
import type { Database } from '../db/database.ts'
import { listAcceptedHashes } from '../directory/client-secret-change.ts'
import type { Client } from '../directory/client-store.ts'
import { createArtifactStore } from './artifact-store.ts'
import { readAssertion, readKeyId } from './assertion.ts'
import { type LoadClient, mayBeClientId } from './client-id.ts'
import { answerOutage } from './oauth-error.ts'

export interface AdapterDependencies {
  readonly db: Database
  readonly loadClient: LoadClient
  readonly publishedKeys: Pick<PublishedKeys, 'find'>
  readonly clock: () => Date
  /**
   * Runs when a token request is about to cause its first I/O, which is the look-up of its client: a malformed credential
   * must cost none.
   */
  readonly beforeFirstRead: (ctx: KoaContextWithOIDC) => Promise<void>
}

export function createAdapter(dependencies: AdapterDependencies): AdapterFactory {
  const { db, loadClient, publishedKeys, clock, beforeFirstRead } = dependencies
  const findClientMetadata = async (clientId: string): Promise<AdapterPayload | undefined> => {
    const { ctx } = Provider
    if (ctx) await beforeFirstRead(ctx)
    if (!mayBeClientId(clientId)) return undefined
    const client = await answerOutage(() => loadClient(clientId))
    if (!client) return undefined
    const jwks = client.jwksUri === null ? client.jwks : await findPublished(client.jwksUri, ctx)
    return toMetadata(client, jwks, clock())
  }
  /** Fetched for whoever brings an assertion. oidc-provider would keep a key that was taken down for as long as it is used. */
  const findPublished = async (url: string, ctx: KoaContextWithOIDC | undefined): Promise<KeySet> => {
    const assertion = ctx && readAssertion(ctx)
    if (assertion === undefined) return { keys: [] }
    return answerOutage(() => publishedKeys.find(url, readKeyId(assertion)))
  }
  return (model) => ({
    ...createArtifactAdapter(db, model),
    ...(model === 'Client' ? { find: findClientMetadata } : {}),
    // They are JWTs, of which nothing is kept.
    ...(model === 'AccessToken' ? { find: async () => undefined } : {}),
  })
}

/**
 * The client as RFC 7591 metadata. `client_secret` is there because oidc-provider insists; what counts are the hashes of
 * all that are accepted. Every client may try the exchange as far as oidc-provider knows, so that one that may not is told
 * `unauthorized_client` by the grant.
 */
function toMetadata(client: Client, jwks: KeySet | null, now: Date): AdapterPayload {
  return {
    client_id: client.clientId,
    client_name: client.name,
    token_endpoint_auth_method: client.authMethod,
    grant_types: [TOKEN_EXCHANGE_GRANT],
    response_types: [],
    redirect_uris: [],
    ...(client.secretHash === null
      ? {}
      : { client_secret: client.secretHash, patmint_secret_hashes: listAcceptedHashes(client, now) }),
    ...(jwks === null ? {} : { jwks: jwks as AdapterPayload['jwks'] }),
    patmint_grant_types: client.grantTypes,
    ...(client.audiences === null ? {} : { patmint_audiences: client.audiences }),
  }
}

/** Ids are stored as digests: for some models the id is itself what the bearer presents. */
const digest = (id: string): string => createHash('sha256').update(id).digest('base64url')

function createArtifactAdapter(db: Database, model: string): Adapter {
  const store = createArtifactStore(db, model)
  return {
    upsert: (id, payload, expiresInSeconds) =>
      answerOutage(async () => {
        if (model !== 'ReplayDetection') return store.save(digest(id), payload, expiresInSeconds)
        // oidc-provider looks first and writes then; two instances could both find nothing.
        const isNew = await store.saveOnce(digest(id), payload, expiresInSeconds)
        if (!isNew) throw new errors.InvalidClientAuth('assertion replayed')
      }),
    find: (id) => answerOutage(() => store.find('id', digest(id))),
    findByUserCode: (userCode) => answerOutage(() => store.find('user_code', userCode)),
    findByUid: (uid) => answerOutage(() => store.find('uid', uid)),
    consume: (id) => answerOutage(() => store.consume(digest(id))),
    destroy: (id) => answerOutage(() => store.remove('id', digest(id))),
    revokeByGrantId: (grantId) => answerOutage(() => store.remove('grant_id', grantId)),
  }
}
