-- Single access tokens that were revoked before they expired. Verifiers that never call home do not see these.

create table revoked_tokens (
  jti text primary key,
  expires_at timestamptz not null,
  revoked_at timestamptz not null
);
create index revoked_tokens_expires_at_idx on revoked_tokens (expires_at);
comment on column revoked_tokens.jti is 'Claim of the token (RFC 7519 section 4.1.7): no secret, and worth nothing to whoever reads it';
comment on column revoked_tokens.expires_at is 'When the token stops by itself; the row is purged some time after that';
