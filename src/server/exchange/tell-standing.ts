// The first half of an explanation: the request, the client, and the credential with whoever holds it.

import { type CredentialExpiry, expiryOf, type Standing, subjectOf } from '../credential/standing.ts'
import type { CheckedCredential } from './attempt.ts'
import { listAudiences } from './choose.ts'
import type { ExchangeClient } from './client.ts'
import { type ExchangeWish, listAsked } from './request.ts'
import { enumerate, type Step } from './step.ts'

export function tellRequest(wish: ExchangeWish): Step[] {
  const [asked, audiences] = [listAsked(wish), listAudiences(wish)]
  const detail =
    `Well-formed. It asks for ${asked ? enumerate(asked) : 'all that is effective'} at ` +
    `${audiences.length > 0 ? enumerate(audiences) : 'the only audience there is'}`
  return [{ step: 'request', outcome: 'pass', detail }]
}

export const tellClient = ({ clientId }: ExchangeClient): Step[] => [
  { step: 'client', outcome: 'info', detail: 'Whether the client can authenticate is not part of this' },
  { step: 'client', outcome: 'pass', detail: `"${clientId}" is registered and may exchange tokens` },
]

/** What is so of the credential when it passes its check. */
export function tellStanding({ standing, isSecretPresented, token }: CheckedCredential): Step[] {
  const { credential, organization } = standing
  const kind = credential.kind === 'personal' ? 'PAT' : 'API key'
  const secret = isSecretPresented
    ? 'Its secret is right'
    : token
      ? `The access token ${token.jti} was exchanged from it`
      : 'No secret was presented; it is taken to be right'
  const blocks = credential.allowedCidrs
  return [
    {
      step: 'credential',
      outcome: 'info',
      detail: `${credential.id} is the ${kind} "${credential.name}", made ${credential.createdAt.toISOString()}`,
    },
    { step: 'credential', outcome: 'pass', detail: `${secret}. It is not revoked, replaced or expired` },
    { step: 'organization', outcome: 'pass', detail: `"${organization.slug}" exists` },
    { step: 'owner', outcome: 'pass', detail: tellOwner(standing) },
    tellRole(standing),
    { step: 'policy', outcome: 'pass', detail: tellEnd(expiryOf(standing)) },
    {
      step: 'address',
      outcome: 'pass',
      detail: blocks ? `The address lies in ${enumerate(blocks)}` : 'It may be used from any address',
    },
  ]
}

/** What is so of an actor when the credential permits them. */
export const tellActor = (actor: CheckedCredential | undefined): Step => ({
  step: 'actor',
  outcome: 'pass',
  detail: actor
    ? `"${subjectOf(actor.standing)}" may act for the subject: the credential names them`
    : 'Nobody else is to act for the subject',
})

const tellOwner = ({ owner, organization }: Standing): string =>
  owner
    ? `The user ${owner.id} is active and a member of "${organization.slug}"`
    : 'An API key belongs to the organization; it has no owner'

const tellRole = ({ role }: Standing): Step => ({
  step: 'role',
  outcome: 'pass',
  detail: `The role is "${role?.name ?? ''}" now. What it gives`,
  permissions: (role?.grants ?? []).map(({ audience, scopes, ofRole = scopes }) => ({
    audience,
    scopes: ofRole,
  })),
})

const tellEnd = (expiry: CredentialExpiry | null): string =>
  expiry ? `No policy has ended it. It works until ${tellExpiry(expiry)}` : 'It never expires'

/** When a credential stops, and what stops it. */
export function tellExpiry(expiry: CredentialExpiry): string {
  const at = expiry.at.toISOString()
  switch (expiry.cause) {
    case 'expires_at':
      return `${at}, as agreed when it was made`
    case 'overlap_until':
      return `${at}, when its successor takes over`
    case 'max_lifetime':
    case 'idle_timeout':
      return `${at}, by ${expiry.cause} of the ${expiry.level} policy`
  }
}
