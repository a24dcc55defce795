// Introspection (RFC 7662): what an authenticated client learns of a credential or of an access token of ours. It sees
// what concerns its own audiences, as it stands now; of everything else not even that it exists.

import { type AccessTokenClaims, readAudiences, readScopes } from '../../protocol/access-token.ts'
import { ok } from '../../protocol/result.ts'
import { anyCovers, narrowScopes } from '../../protocol/scope.ts'
import { expiryOf, type Standing, subjectOf } from '../credential/standing.ts'
import type { RecheckCredential, VerificationContext } from '../credential/verify.ts'
import { type ExchangeClient, mayReach } from './client.ts'
import { createCheckPresented, type PresentationChecks, type Presented } from './present.ts'
import { listTargets, type Target } from './target.ts'

type AskingClient = Pick<ExchangeClient, 'audiences'>

/** Notes that the credential itself was used. */
export type NoteUse = (standing: Standing, context: VerificationContext) => Promise<void>

export interface IntrospectionDependencies extends Omit<PresentationChecks, 'noteForged'> {
  readonly issuer: string
  readonly noteUse: NoteUse
}

/** The members of the answer but `active`; null: nothing that is active for this client. Throws when the database is away. */
export type Introspect = (
  presented: Presented,
  client: AskingClient,
  context: VerificationContext,
) => Promise<Record<string, unknown> | null>

export function createIntrospect(dependencies: IntrospectionDependencies): Introspect {
  const { issuer, noteUse } = dependencies
  const check = createCheckPresented({
    ...dependencies,
    recheckCredential: recheckAnywhere(dependencies.recheckCredential),
    // Who introspects has expired tokens in hand all the time, and nobody guesses a signature.
    noteForged: async () => {},
  })
  return async (presented, client, context) => {
    const checked = await check(presented, context)
    if (!checked.ok) return null
    const { standing, token } = checked.value
    if (token) return describeToken(token, standing, client)
    const described = describeCredential(standing, client, issuer)
    if (described) await noteUse(standing, context)
    return described
  }
}

/** A token goes where its credential may not be used from: that is what it was exchanged for. */
const recheckAnywhere =
  (recheck: RecheckCredential): RecheckCredential =>
  async (id, circumstances) => {
    const rechecked = await recheck(id, circumstances)
    if (rechecked.ok) return rechecked
    const { refusal, standing } = rechecked.error
    return standing && refusal.reason === 'address_not_allowed' ? ok(standing) : rechecked
  }

/** What a token says of itself, beside its reach. */
function describeToken(
  token: AccessTokenClaims,
  standing: Standing,
  client: AskingClient,
): Record<string, unknown> | null {
  const audiences = readAudiences(token).filter((audience) => mayReach(client, audience))
  if (audiences.length === 0) return null
  const targets = listTargets(standing, client, audiences, token)
  const scopes = listCommonScopes(targets)
  if (scopes.length === 0) return null
  // Details say what the scopes say: when those are fewer by now, they would say too much.
  const isWhole = readScopes(token).every((scope) => anyCovers(scopes, scope))
  const locations = targets.map(({ audience }) => audience)
  const { aud: _, scope: __, exchanges: ___, authorization_details: details, ...claims } = token
  return {
    ...claims,
    ...describeReach(targets, scopes),
    token_type: 'cnf' in claims ? 'DPoP' : 'Bearer',
    ...(details && isWhole ? { authorization_details: details.map((one) => ({ ...one, locations })) } : {}),
  }
}

function describeCredential(
  standing: Standing,
  client: AskingClient,
  issuer: string,
): Record<string, unknown> | null {
  const targets = listTargets(standing, client)
  if (targets.length === 0) return null
  const { credential, organization } = standing
  const expiry = expiryOf(standing)
  return {
    iss: issuer,
    sub: subjectOf(standing),
    ...describeReach(targets, listCommonScopes(targets)),
    iat: toSeconds(credential.createdAt),
    ...(expiry ? { exp: toSeconds(expiry.at) } : {}),
    token_type: 'Bearer',
    org: organization.slug,
    cred: credential.id,
    permissions: targets.map(({ audience, scopes }) => ({ audience, scopes })),
  }
}

const describeReach = (targets: readonly Target[], scopes: readonly string[]) => ({
  aud: targets.length === 1 ? targets[0]?.audience : targets.map(({ audience }) => audience),
  ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
})

/** What holds at each of the audiences: a scope of one must not be taken for a scope of another. */
const listCommonScopes = ([first, ...others]: readonly Target[]): readonly string[] =>
  others.reduce((common, { scopes }) => narrowScopes(common, scopes), first?.scopes ?? [])

const toSeconds = (instant: Date): number => Math.floor(instant.getTime() / 1000)
