-- The key ring every instance shares.

create table signing_keys (
  kid text primary key,
  alg text not null check (alg in ('ES256', 'EdDSA', 'RS256', 'PS256')),
  public_jwk jsonb not null check (not public_jwk ?| array['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']),
  private_key_jwe text not null,
  published_at timestamptz not null,
  activates_at timestamptz not null,
  retires_at timestamptz
);
create index signing_keys_alg_idx on signing_keys (alg, activates_at);
comment on column signing_keys.kid is 'RFC 7638 thumbprint of the public key';
comment on column signing_keys.private_key_jwe is 'Private JWK as compact JWE (RFC 7516) under a key derived from the secret key';
comment on column signing_keys.published_at is 'From here on it stands in the JWKS';
comment on column signing_keys.activates_at is 'From here on it signs; later than published_at by at least what verifiers cache';
comment on column signing_keys.retires_at is 'From here on it neither signs nor stands in the JWKS';
