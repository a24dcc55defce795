-- What can be asked for, and by which software.

create table resource_servers (
  id uuid primary key,
  audience text not null unique check (length(audience) between 1 and 500),
  name text not null check (length(name) between 1 and 200),
  access_token_ttl_seconds integer not null check (access_token_ttl_seconds between 1 and 3600),
  signing_alg text not null check (signing_alg in ('ES256', 'EdDSA', 'RS256', 'PS256')),
  built_in boolean not null default false,
  created_at timestamptz not null
);
create unique index resource_servers_built_in_key on resource_servers (built_in) where built_in;
comment on column resource_servers.audience is 'The token claim "aud"; matched as an exact string';
comment on column resource_servers.built_in is 'Patmint''s own management API; its audience is that of the one issuer this database belongs to';

create table resource_scopes (
  resource_server_id uuid not null references resource_servers (id) on delete cascade,
  scope text not null check (length(scope) between 1 and 200),
  description text not null,
  primary key (resource_server_id, scope)
);
comment on table resource_scopes is 'The concrete scopes a resource server knows; nothing outside them is ever issued';

create table clients (
  client_id text primary key check (length(client_id) between 1 and 200),
  name text not null check (length(name) between 1 and 200),
  token_endpoint_auth_method text not null
    check (token_endpoint_auth_method in ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')),
  secret_hash text,
  jwks jsonb,
  grant_types text[] not null,
  audiences text[],
  built_in boolean not null default false,
  created_at timestamptz not null,
  constraint clients_secret_hash_check
    check ((secret_hash is not null) = (token_endpoint_auth_method like 'client_secret_%')),
  constraint clients_jwks_check
    check ((jwks is not null) = (token_endpoint_auth_method = 'private_key_jwt'))
);
comment on column clients.secret_hash is 'Salted HMAC-SHA-256 of the client secret under a key derived from the secret key';
comment on column clients.audiences is 'Audiences the client may ask tokens for; null for every resource server';
