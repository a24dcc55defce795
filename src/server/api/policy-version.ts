// A version of an expiry policy's history, as paths name it.

import { z } from 'zod'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import type { ExpiryPolicy } from '../policy/policy.ts'
import { findVersion } from '../policy/version-store.ts'
import type { Whose } from './policy-place.ts'

export const versionNumber = z.string().regex(/^[1-9]\d{0,8}$/)

/** Reads what the version that `params` names says; 404 where there is none. */
export const chooseVersion =
  ({ number }: Readonly<Record<string, unknown>>) =>
  async (reader: Reader, { organizationId }: Whose): Promise<ExpiryPolicy> => {
    const version = await findVersion(reader, organizationId, Number(number))
    if (!version) throw new Problem('not_found')
    return version.policy
  }
