// The check of a credential without its consequences: nothing is written, and reuse is not reported.

import type { PresentedCredential } from '../../protocol/credential.ts'
import type { CredentialHasher } from './hash.ts'
import type { Standing } from './standing.ts'
import {
  type Circumstances,
  createRecheckCredential,
  createVerifyCredential,
  type VerifyCredential,
} from './verify.ts'

/** What the check would say of a standing; null stands for a credential whose secret is taken to be right. */
export type RehearseCheck = (
  standing: Standing,
  presented: PresentedCredential | null,
  circumstances: Circumstances,
) => ReturnType<VerifyCredential>

export function createRehearseCheck(hasher: CredentialHasher): RehearseCheck {
  return (standing, presented, circumstances) => {
    const load = async (): Promise<Standing> => standing
    return presented
      ? createVerifyCredential(load, hasher, async () => {})(presented, circumstances)
      : createRecheckCredential(load)(standing.credential.id, circumstances)
  }
}
