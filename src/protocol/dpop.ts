// The words of DPoP (RFC 9449), and every way in which a proof fails.

/** `typ` of a proof's JOSE header (section 4.2). */
export const DPOP_TYP = 'dpop+jwt'

/** Asymmetric all of them, and the list that is advertised (section 5.1). */
export const DPOP_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const

/** Which check of section 4.3 a proof fails. For records and logs: whoever sent it learns only that it did. */
export type ProofProblem =
  /** Not exactly one header field with exactly one JWS, or one that is too long (checks 1 and 2). */
  | 'proof_malformed'
  | 'proof_type_wrong'
  | 'proof_algorithm_unsupported'
  | 'proof_key_unusable'
  | 'proof_signature_wrong'
  | 'proof_claims_incomplete'
  | 'proof_method_wrong'
  | 'proof_uri_wrong'
  | 'proof_not_fresh'
  | 'proof_token_wrong'
  | 'proof_nonce_wrong'
  | 'proof_replayed'
