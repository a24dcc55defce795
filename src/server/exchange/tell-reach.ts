// The second half of an explanation: what the role gives, bound after bound, and how long a token may live.

import type { Grant, HeldGrant, Permission } from '../credential/standing.ts'
import type { Trial } from './attempt.ts'
import { listAudiences } from './choose.ts'
import { type ExchangeClient, mayReach } from './client.ts'
import { type Actor, delegate } from './delegation.ts'
import { type Cap, findLeast, listCaps } from './lifetime.ts'
import { listAsked } from './request.ts'
import { enumerate, type Step } from './step.ts'
import { listTargets, type Narrowing, narrowGrant } from './target.ts'
import { tellExpiry } from './tell-standing.ts'

/** What is left of the role's grants after each bound, and of the wish when they permit it. */
export function tellReach(trial: Trial): Step[] {
  const { wish, credential, client, now } = trial
  const { standing, token } = credential
  const asked = listAsked(wish)
  const { permissions } = standing.credential
  const grants = standing.role?.grants ?? []
  const reached = grants.filter(({ audience }) => mayReach(client, audience))
  const [first, ...others] = listTargets(standing, client, listAudiences(wish), token)
  return [
    {
      step: 'permissions',
      outcome: 'info',
      detail: tellChosen(permissions !== null, grants),
      permissions: listLeft(grants, permissions, 'chosen'),
    },
    {
      step: 'client_audiences',
      outcome: 'info',
      detail: tellClientReach(client, grants, reached),
      permissions: listLeft(reached, permissions, 'chosen'),
    },
    {
      step: 'resource_server',
      outcome: 'info',
      detail: 'What the resource servers declare of that, which is what is effective',
      permissions: listLeft(reached, permissions, 'effective'),
    },
    ...(first
      ? [
          {
            step: 'audience',
            outcome: 'pass',
            detail: `The token is for ${enumerate([first, ...others].map(({ audience }) => audience))}`,
          } as const,
          {
            step: 'scope',
            outcome: 'pass',
            detail: asked
              ? `All of ${enumerate(asked)} is effective`
              : 'The token gets all that is effective',
          } as const,
          ...tellLifetime(listCaps({ standing, token, actor: findActor(trial) }, [first, ...others], now)),
          ...tellBinding(wish.proofKey),
        ]
      : []),
  ]
}

/** Whoever acts; null for nobody, and for one who may not. */
function findActor({ credential: { standing, token }, actor, client }: Trial): Actor | null {
  if (!actor?.verified.ok) return null
  const acting = { standing: actor.verified.value, token: actor.token }
  const delegated = delegate({ standing, token }, acting, client)
  return delegated.ok ? delegated.value : null
}

/** Which of the role's audiences the client reaches. What else it may ask for is not the credential's business. */
function tellClientReach(
  { clientId }: ExchangeClient,
  grants: readonly Grant[],
  reached: readonly Grant[],
): string {
  if (reached.length === grants.length) return `"${clientId}" may ask for every audience of the role`
  const audiences = reached.map(({ audience }) => audience)
  return `Of the role's audiences "${clientId}" may ask for ${enumerate(audiences) || 'none'}. What that leaves`
}

/** How much of its role the credential was made with. */
function tellChosen(isNarrowed: boolean, grants: readonly HeldGrant[]): string {
  const isBound = grants.some(({ ofRole }) => ofRole !== undefined)
  const bound = isBound ? ', and manages no more than whoever issued it could' : ''
  return isNarrowed
    ? `The credential was narrowed when it was made${bound}. What that leaves`
    : `The credential was not narrowed: it has all of the role${bound}`
}

const listLeft = (
  grants: readonly Grant[],
  permissions: readonly Permission[] | null,
  bound: keyof Narrowing,
): Permission[] =>
  grants
    .map((grant) => ({ audience: grant.audience, scopes: narrowGrant(grant, permissions)[bound] }))
    .filter(({ scopes }) => scopes.length > 0)

const tellBinding = (proofKey: string | undefined): Step[] =>
  proofKey === undefined
    ? []
    : [{ step: 'proof', outcome: 'pass', detail: `The token is bound to the key ${proofKey}` }]

function tellLifetime(caps: readonly [Cap, ...Cap[]]): Step[] {
  const least = findLeast(caps)
  return [
    ...caps.map((cap): Step => ({ step: 'expiry', outcome: 'info', detail: tellCap(cap) })),
    {
      step: 'expiry',
      outcome: 'pass',
      detail: `The token lives ${least.seconds} s, the least of these: ${nameCap(least)}`,
    },
  ]
}

function tellCap(cap: Cap): string {
  const limit = `at most ${cap.seconds} s`
  return cap.by === 'credential'
    ? `${nameCap(cap)}: ${limit}, it works until ${tellExpiry(cap.expiry)}`
    : `${nameCap(cap)}: ${limit}`
}

function nameCap(cap: Cap): string {
  switch (cap.by) {
    case 'resource_server':
      return `the resource server "${cap.audience}"`
    case 'access_token_max_ttl':
      return `access_token_max_ttl of the ${cap.level} policy`
    case 'credential':
      return `the credential's own expiry, by ${cap.expiry.cause}`
    case 'subject_token':
      return 'the access token that is exchanged'
    case 'actor':
      return "the actor's own expiry"
  }
}
