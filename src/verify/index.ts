// `patmint/verify`: what a microservice embeds to check access tokens offline. The only barrel; the public API.

export type { AccessTokenClaims } from '../protocol/access-token.ts'
export type { VerifiedClaims } from './check-claims.ts'
export type { JwksFetch } from './fetch-jwks.ts'
export type { VerifierOptions } from './options.ts'
export { requireScope } from './require-scope.ts'
export { createVerifier, type Verifier } from './verifier.ts'
export { VerifyError, type VerifyErrorCode } from './verify-error.ts'
