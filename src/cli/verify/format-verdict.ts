// What `patmint verify` prints of a token that is good: the verdict, then every claim.

import type { VerifiedClaims } from '../../verify/index.ts'
import { describeSpan } from '../describe-span.ts'
import { formatTable } from '../format-table.ts'
import type { Surroundings } from '../surroundings.ts'

export interface Verdict {
  readonly claims: VerifiedClaims
  /** False: the status list cannot be had, and the credential may be revoked. */
  readonly statusKnown: boolean
  /** None: a token for anybody passed. */
  readonly audiences: readonly string[]
}

/** Instants are seconds since the epoch (RFC 7519 section 2). */
const INSTANTS = new Set(['exp', 'iat', 'nbf'])

/** Tables for a terminal. */
export function formatVerdict(
  { claims, statusKnown, audiences }: Verdict,
  now: Date,
  paint: Surroundings['paint'],
): string {
  const left = claims.exp - now.getTime() / 1000
  const summary = formatTable(
    [
      ['verdict', statusKnown ? 'valid' : 'valid, but for its status'],
      ['status', statusKnown ? 'neither revoked nor suspended' : 'not known: the status list cannot be had'],
      ['time left', describeSpan(left)],
      [
        'audience',
        audiences.length > 0 ? 'as named' : 'not checked: every one is accepted without --audience',
      ],
    ],
    paint,
  )
  const rows = Object.entries(claims).map(([name, value]) => [name, describeClaim(name, value)])
  return `${summary}\n${formatTable([['claim', 'value'], ...rows], paint)}`
}

/** One line of JSON, for a script. */
export const formatVerdictJson = ({ claims, statusKnown, audiences }: Verdict, now: Date): string =>
  `${JSON.stringify({
    valid: statusKnown,
    status: statusKnown ? 'valid' : 'unknown',
    audience_checked: audiences.length > 0,
    expires_in: Math.floor(claims.exp - now.getTime() / 1000),
    claims,
  })}\n`

function describeClaim(name: string, value: unknown): string {
  if (INSTANTS.has(name) && typeof value === 'number') return describeInstant(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A signed claim may still be beyond what a date can be. */
function describeInstant(seconds: number): string {
  const instant = new Date(seconds * 1000)
  return Number.isNaN(instant.getTime()) ? String(seconds) : instant.toISOString().replace('.000Z', 'Z')
}
