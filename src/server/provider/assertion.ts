// What a client assertion says before anybody has verified it, and what is asked of one beyond its signature (RFC 7523).

import { errors, type KoaContextWithOIDC } from 'oidc-provider'

/** One that is stolen is worth no more than this, and no more than this is remembered against replay. */
const MAX_LIFETIME_SECONDS = 3600

/** Id of the key that the assertion names, read without trust; undefined when it names none. */
export function readKeyId(assertion: string): string | undefined {
  const [header = ''] = assertion.split('.', 1)
  try {
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid?: unknown }
    return typeof kid === 'string' ? kid : undefined
  } catch {
    // No assertion at all, which oidc-provider finds out.
    return undefined
  }
}

/** The assertion a client presents in this request. */
export function readAssertion({ oidc }: KoaContextWithOIDC): string | undefined {
  const assertion = oidc.params?.['client_assertion']
  return typeof assertion === 'string' ? assertion : undefined
}

/** 401 for one that lives too long (RFC 7523 section 3, rule 4). */
export function requireShortLived({ exp }: { readonly exp?: unknown }, now: Date): void {
  if (Number(exp) - now.getTime() / 1000 > MAX_LIFETIME_SECONDS)
    throw new errors.InvalidClientAuth(`the assertion is valid for more than ${MAX_LIFETIME_SECONDS} seconds`)
}
