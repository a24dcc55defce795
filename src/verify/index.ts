// `patmint/verify`: what a microservice embeds to check access tokens offline. The only barrel; the public API.

export type { AccessTokenClaims } from '../protocol/access-token.ts'
export type { AuthorizationDetail } from '../protocol/authorization-details.ts'
export { type Challenge, formatChallenges } from './challenge.ts'
export type { VerifiedClaims } from './check-claims.ts'
export type { VerifierFetch } from './fetch-document.ts'
export type { DpopOptions, StatusListOptions, VerifierOptions } from './options.ts'
export type { IncomingRequest, PresentedProof } from './read-authorization.ts'
export { requireDetail } from './require-detail.ts'
export { requireScope } from './require-scope.ts'
export type { Hydration, VerifierSnapshot } from './snapshot.ts'
export { createVerifier, type Verifier } from './verifier.ts'
export { VerifyError, type VerifyErrorCode, type VerifyErrorStatus } from './verify-error.ts'
