-- PATs and API keys. A row never holds the credential, its secret part, or an unsalted digest of either.

create table credentials (
  id text primary key check (id ~ '^[0-9a-f]{16}$'),
  kind text not null check (kind in ('personal', 'organization')),
  organization_id uuid not null references organizations (id) on delete cascade,
  owner_id uuid references users (id) on delete cascade,
  role_id uuid references roles (id),
  name text not null check (length(name) between 1 and 100),
  secret_hash text not null,
  permissions jsonb,
  allowed_cidrs cidr[],
  issued_by text,
  issued_reach text check (issued_reach in ('platform', 'organization')),
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  last_used_ip inet,
  revoked_at timestamptz,
  revoked_by text,
  revoked_reason text,
  replaces text references credentials (id) on delete set null,
  overlap_until timestamptz,
  status_index bigint not null generated always as identity unique,
  constraint credentials_kind_owner_check check ((kind = 'personal') = (owner_id is not null)),
  constraint credentials_kind_role_check check ((kind = 'organization') = (role_id is not null)),
  constraint credentials_permissions_check check (permissions is null or jsonb_typeof(permissions) = 'array')
);
create trigger credentials_assignable_role before insert or update of role_id, organization_id on credentials
  for each row when (new.role_id is not null) execute function require_assignable_role();
create index credentials_owner_idx on credentials (owner_id, organization_id, created_at, id);
create index credentials_organization_idx on credentials (organization_id, created_at, id);
create index credentials_role_id_idx on credentials (role_id);
create index credentials_replaces_idx on credentials (replaces);
comment on column credentials.id is 'Public id: the 16 hex characters after the prefix; the token claim "cred"';
comment on column credentials.owner_id is 'The user a PAT belongs to; null for an API key';
comment on column credentials.role_id is 'The fixed role of an API key; null for a PAT, whose role is its owner''s membership';
comment on column credentials.secret_hash is 'argon2id in PHC string format; "data" names the pepper';
comment on column credentials.permissions is '[{audience, scopes}] chosen at creation; null for all of the role';
comment on column credentials.allowed_cidrs is 'Client addresses it may be used from; null for any';
comment on column credentials.issued_by is 'Subject of whoever issued it for the owner and saw its value; null when the owner made it';
comment on column credentials.issued_reach is 'How far the issuer''s management rights went: it never manages beyond that, whatever its owner becomes';
comment on column credentials.expires_at is 'What was agreed at creation; null for never. Policy may end it earlier and is never written here';
comment on column credentials.overlap_until is 'Set when a successor exists: the instant this one stops working';
comment on column credentials.status_index is 'Position in the token status lists';
