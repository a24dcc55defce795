-- How long credentials and tokens may live. One row for the platform, at most one per organization.

create table expiry_policies (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid unique nulls not distinct references organizations (id) on delete cascade,
  max_lifetime_seconds bigint check (max_lifetime_seconds > 0),
  default_lifetime_seconds bigint check (default_lifetime_seconds > 0),
  idle_timeout_seconds bigint check (idle_timeout_seconds > 0),
  access_token_max_ttl_seconds bigint check (access_token_max_ttl_seconds > 0),
  max_active_tokens integer not null check (max_active_tokens > 0),
  applies_to text not null check (applies_to in ('all', 'new')),
  exempt_roles text[] not null,
  applies_since timestamptz not null
);
comment on column expiry_policies.id is 'For logical replication, which needs a key without nulls; names nothing';
comment on column expiry_policies.organization_id is 'Null for the platform''s own policy';
comment on column expiry_policies.max_lifetime_seconds is 'Null means no rule, in this and every other nullable column';
comment on column expiry_policies.applies_to is '"new" spares the credentials created before applies_since';
comment on column expiry_policies.applies_since is 'Since when "new" credentials are bound; stays put while applies_to stays "new", so that a tighter limit frees nobody';
comment on column expiry_policies.exempt_roles is 'Names of roles whose holders the lifetime rules do not bind';
