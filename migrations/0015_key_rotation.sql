-- Keys that turn: when one signs no more, when it leaves the JWKS, and whether somebody took it out of there.

alter table signing_keys
  add column gone_at timestamptz,
  add column withdrawn_at timestamptz,
  alter column private_key_jwe drop not null;
update signing_keys set gone_at = retires_at;
alter table signing_keys add constraint signing_keys_retirement_check check ((retires_at is null) = (gone_at is null));
create index signing_keys_published_idx on signing_keys (published_at, kid);
comment on column signing_keys.private_key_jwe is 'Private JWK as compact JWE (RFC 7516) under a key derived from the secret key; null once the key is gone';
comment on column signing_keys.retires_at is 'From here on it signs no more: its successor does';
comment on column signing_keys.gone_at is 'From here on it is not in the JWKS: whatever it signed has expired, and no cache holds it to be current';
comment on column signing_keys.withdrawn_at is 'When it was taken out of the JWKS at once, whatever the other instants say';
