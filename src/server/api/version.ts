// Versions of what can be updated (RFC 9110 section 8.8.3), so that nobody overwrites what they have not seen.

import { createHash } from 'node:crypto'
import { Problem } from '../http/problem.ts'

const TAG_LENGTH = 22

/** Entity tag of an object as the API shows it. */
export function versionOf(view: unknown): string {
  const digest = createHash('sha256').update(JSON.stringify(view)).digest('base64url')
  return `"${digest.slice(0, TAG_LENGTH)}"`
}

/** 412 unless `ifMatch` names the version of `view`; a client that names none takes what there is. */
export function requireVersion(ifMatch: string | null, view: unknown): void {
  if (ifMatch === null) return
  const tags = ifMatch.split(',').map((tag) => tag.trim())
  // Strong comparison (RFC 9110 section 13.1.1): a weak tag matches nothing.
  if (ifMatch.trim() !== '*' && !tags.includes(versionOf(view))) throw new Problem('precondition_failed')
}
