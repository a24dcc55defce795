// Passwords of people, hashed by OWASP's parameters for argon2id (19 MiB, 2 passes, 1 lane), with a pepper.

import argon2 from 'argon2'
import type { DerivedKeys } from '../secret/secret-keys.ts'

const OWASP = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** `$argon2id$…` of a password; `data` names the pepper. */
export async function hashPassword(password: string, peppers: DerivedKeys): Promise<string> {
  const { id, bytes } = peppers.current
  return argon2.hash(password.normalize('NFKC'), {
    ...OWASP,
    secret: bytes,
    associatedData: Buffer.from(id, 'base64url'),
  })
}
