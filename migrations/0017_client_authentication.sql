-- Clients may publish their keys at a URL of theirs, and change their secret without a gap.

alter table clients
  add column jwks_uri text check (length(jwks_uri) between 1 and 500),
  add column previous_secret_hash text,
  add column previous_secret_until timestamptz,
  drop constraint clients_jwks_check,
  add constraint clients_keys_check check (
    case when token_endpoint_auth_method = 'private_key_jwt' then num_nonnulls(jwks, jwks_uri) = 1
    else num_nonnulls(jwks, jwks_uri) = 0 end
  ),
  add constraint clients_previous_secret_check
    check ((previous_secret_hash is null) = (previous_secret_until is null)
      and (previous_secret_hash is null or secret_hash is not null));
comment on column clients.jwks_uri is 'Where the client publishes its keys, in place of jwks';
comment on column clients.previous_secret_hash is 'Of the secret that secret_hash took the place of';
comment on column clients.previous_secret_until is 'End of its overlap: from then on the secret before does not work';
