// Who may get a new value of a credential: a person who signed in. What anyone could hold who got at it makes no
// credentials, else a stolen one would outlive its revocation in another, and a narrowed one would widen.

import { Problem } from '../http/problem.ts'
import type { Caller } from './caller.ts'

/** 403 unless a person signed in for this call. */
export function requireSignIn(caller: Pick<Caller, 'isInteractive'>): void {
  if (!caller.isInteractive) throw new Problem('forbidden', 'Sign in: a credential makes no credentials')
}

/** Whether the value of credential `id` itself was presented. */
export const isItself = (caller: Pick<Caller, 'holdsCredential' | 'standing'>, id: string): boolean =>
  caller.holdsCredential && caller.standing.credential.id === id

/**
 * 403 unless the caller may rotate their own credential `id`. Nobody signs in for automation, so the value of a
 * credential may be swapped for its successor's; an access token may not, because every service it is sent to has it.
 */
export function requireRotation(
  caller: Pick<Caller, 'isInteractive' | 'holdsCredential' | 'standing'>,
  id: string,
): void {
  if (!isItself(caller, id) && !caller.isInteractive)
    throw new Problem('forbidden', 'Sign in: a credential rotates itself, by its value, and no other')
}
