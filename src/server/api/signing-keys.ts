// `/signing-keys`: the keys that tokens are signed with, and what is done when one of them has to go. They belong to the
// platform; a private half never leaves the server.

import { z } from 'zod'
import { SIGNING_ALGORITHMS } from '../../protocol/access-token.ts'
import { Problem } from '../http/problem.ts'
import { describeTurn, describeWithdrawal } from '../signing/describe-turn.ts'
import { stateOf } from '../signing/key-life.ts'
import { type DescribedKey, describeSigningKeys, findSigningKey } from '../signing/store.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { requirePlatformWide } from './reach.ts'
import { instant } from './schema.ts'
import { requireVersion } from './version.ts'

const TAG = 'Signing keys'
const READING = 'Reading signing keys'

/** RFC 7638 thumbprint. */
const kid = z.string().regex(/^[\w-]{43}$/)
const alg = z.enum(SIGNING_ALGORITHMS)

const signingKeyView = z
  .strictObject({
    kid: kid.describe('RFC 7638 thumbprint; the header `kid` of what it signs'),
    alg,
    state: z
      .enum(['published', 'active', 'retired', 'gone'])
      .describe(
        '`published`: in the JWKS, and signs from `activates_at` on. `retired`: signs no more, and stays in the ' +
          'JWKS until `gone_at`',
      ),
    published_at: instant,
    activates_at: instant,
    retires_at: instant.nullable().describe('Null as long as it has no successor'),
    gone_at: instant.nullable().describe('When it leaves the JWKS; null as long as it has no successor'),
    withdrawn_at: instant.nullable().describe('When it was withdrawn'),
  })
  .meta({ id: 'SigningKey' })

const toText = (moment: Date | null): string | null => moment?.toISOString() ?? null

const viewSigningKey = (key: DescribedKey, now: Date): z.output<typeof signingKeyView> => ({
  kid: key.kid,
  alg: key.alg,
  state: stateOf(key, now),
  published_at: key.publishedAt.toISOString(),
  activates_at: key.activatesAt.toISOString(),
  retires_at: toText(key.retiresAt),
  gone_at: toText(key.goneAt),
  withdrawn_at: toText(key.withdrawnAt),
})

/** What may still change about a key. */
const versionOfSigningKey = (key: z.output<typeof signingKeyView>) => ({
  activates_at: key.activates_at,
  retires_at: key.retires_at,
  gone_at: key.gone_at,
  withdrawn_at: key.withdrawn_at,
})

const ofSigningKey = z.object({ kid })

const list = operation({
  id: 'listSigningKeys',
  method: 'get',
  path: '/signing-keys',
  tag: TAG,
  summary: 'List signing keys',
  description: 'Takes platform-wide rights. Newest first, those that are gone too.',
  access: 'signing-keys:read',
  query: pageQuery,
  answer: { status: 200, description: 'A page of signing keys', schema: pageOf(signingKeyView) },
  handle: async ({ caller, query, now }, { db }) => {
    requirePlatformWide(caller, READING)
    const keys = await describeSigningKeys(db, {
      after: decodeCursor(query.cursor, kid),
      limit: query.limit + 1,
    })
    return toPage(
      keys,
      query.limit,
      ({ publishedAt, kid }) => ({ createdAt: publishedAt, id: kid }),
      (key) => viewSigningKey(key, now),
    )
  },
})

const show = operation({
  id: 'getSigningKey',
  method: 'get',
  path: '/signing-keys/{kid}',
  tag: TAG,
  summary: 'Read a signing key',
  description: 'Takes platform-wide rights. The public key itself is in the JWKS.',
  access: 'signing-keys:read',
  params: ofSigningKey,
  answer: {
    status: 200,
    description: 'The signing key',
    schema: signingKeyView,
    version: versionOfSigningKey,
  },
  handle: async ({ caller, params, now }, { db }) => {
    requirePlatformWide(caller, READING)
    const key = await findSigningKey(db, params.kid)
    if (!key) throw new Problem('not_found')
    return viewSigningKey(key, now)
  },
})

const rotate = operation({
  id: 'rotateSigningKeys',
  method: 'post',
  path: '/signing-keys/rotate',
  tag: TAG,
  summary: 'Rotate signing keys',
  description:
    'Takes platform-wide rights. Publishes the next key of each algorithm, which signs from its `activates_at` on: ' +
    'when no verifier that keeps to the `max-age` of the JWKS can be without it. An algorithm whose next key is ' +
    'published already is left alone.',
  access: 'signing-keys:write',
  body: z.strictObject({
    algs: z.array(alg).min(1).max(SIGNING_ALGORITHMS.length).optional().describe('Absent: all of them'),
  }),
  answer: {
    status: 200,
    description: 'The keys that were published',
    schema: z.strictObject({ published: z.array(signingKeyView) }),
  },
  handle: async ({ caller, body, now, origin }, { change, turnRing }) => {
    requirePlatformWide(caller, 'Rotating signing keys')
    const turns = await change(origin, async ({ transaction, record }) => {
      const turns = await turnRing.rotate(transaction, body.algs ?? SIGNING_ALGORITHMS, now)
      for (const turn of turns) record(describeTurn(turn))
      return turns
    })
    await turnRing.follow()
    return { published: turns.map(({ next }) => viewSigningKey(next, now)) }
  },
})

const withdraw = operation({
  id: 'withdrawSigningKey',
  method: 'delete',
  path: '/signing-keys/{kid}',
  tag: TAG,
  summary: 'Withdraw a signing key',
  description:
    'Takes platform-wide rights. For a key that may be in the wrong hands: it leaves the JWKS at once, its private ' +
    'half is deleted, and what it signed is refused here; the other instances follow with their next look. If it ' +
    'signed, another key does from now on, which verifiers have to fetch. Withdrawing twice changes nothing more.',
  access: 'signing-keys:write',
  params: ofSigningKey,
  answer: NO_CONTENT,
  problems: ['precondition_failed'],
  handle: async ({ caller, params, now, ifMatch, origin }, { change, turnRing }) => {
    requirePlatformWide(caller, 'Withdrawing signing keys')
    await change(origin, async ({ transaction, record }) => {
      const withdrawal = await turnRing.withdraw(transaction, params.kid, now)
      if (!withdrawal) throw new Problem('not_found')
      requireVersion(ifMatch, versionOfSigningKey(viewSigningKey(withdrawal.key, now)))
      if (withdrawal.isWithdrawn) record(describeWithdrawal(withdrawal))
    })
    await turnRing.follow()
  },
})

export const signingKeyOperations = [list, show, rotate, withdraw]
