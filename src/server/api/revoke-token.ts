// Ending a single access token of ours before it expires: whoever has it may, because whoever else has it may use it.

import type { PresentedJwt } from '../../protocol/presented-jwt.ts'
import type { Standing } from '../credential/standing.ts'
import type { Origin } from '../ledger/change.ts'
import type { ReadOwnToken } from '../signing/own-token.ts'
import { insertRevokedToken } from '../signing/revoked-token-store.ts'
import type { ApiDependencies } from './dependencies.ts'

interface Dependencies extends Pick<ApiDependencies, 'change'> {
  readonly readOwnToken: ReadOwnToken
  readonly loadStanding: (credentialId: string) => Promise<Standing | undefined>
}

/** Revokes the token, once; leaves alone what is no token of ours, or has expired. */
export type RevokeToken = (token: PresentedJwt, origin: Origin) => Promise<void>

export function createRevokeToken({ change, readOwnToken, loadStanding }: Dependencies): RevokeToken {
  return async (token, origin) => {
    const claims = await readOwnToken(token, origin.at)
    if (!claims) return
    const { jti, sub, cred, exp } = claims
    // The record belongs to the organization, which only the credential can tell by its id.
    const standing = await loadStanding(cred)
    await change(origin, async ({ transaction, record }) => {
      const expiresAt = new Date(exp * 1000)
      if (!(await insertRevokedToken(transaction, { jti, expiresAt }, origin.at))) return
      record({
        type: 'token.revoked',
        reason: 'burnt_by_holder',
        organizationId: standing?.organization.id,
        subject: sub,
        credentialId: cred,
        tokenId: jti,
        detail: { via: 'oauth2/revoke' },
      })
    })
  }
}
