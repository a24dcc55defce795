// The look-up of a presented credential, begun before it is needed: so the statement that reads the client which brings
// it reads the credential too, while nothing is judged by it before that client is known.

import type { PresentedCredential } from '../../protocol/credential.ts'
import type { Standing } from './standing.ts'

export interface LookAhead {
  /** Begins the look-up. One that fails is told to whoever takes it, and to nobody else. */
  readonly begin: (presented: PresentedCredential) => void
  /** What was begun for this very presentation, else a look-up that begins now. */
  readonly take: (presented: PresentedCredential) => Promise<Standing | undefined>
}

export function createLookAhead(loadStanding: (id: string) => Promise<Standing | undefined>): LookAhead {
  const begun = new WeakMap<PresentedCredential, Promise<Standing | undefined>>()
  return {
    begin: (presented) => {
      const standing = loadStanding(presented.id)
      standing.catch(() => {})
      begun.set(presented, standing)
    },
    take: (presented) => begun.get(presented) ?? loadStanding(presented.id),
  }
}
