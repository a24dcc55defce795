-- The history of policies: what each one said, since when, who said so, and what it stopped. Only ever added to.

create table expiry_policy_versions (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid references organizations (id) on delete cascade,
  number integer not null check (number > 0),
  max_lifetime_seconds bigint,
  default_lifetime_seconds bigint,
  idle_timeout_seconds bigint,
  access_token_max_ttl_seconds bigint,
  max_active_tokens integer not null,
  applies_to text not null,
  exempt_roles text[] not null,
  applies_since timestamptz not null,
  made_at timestamptz not null,
  made_by text,
  stopped integer,
  stopped_in_use integer,
  unique nulls not distinct (organization_id, number)
);
comment on column expiry_policy_versions.id is 'For logical replication, which needs a key without nulls; names nothing';
comment on column expiry_policy_versions.organization_id is 'Null for the platform''s own policy';
comment on column expiry_policy_versions.number is 'From 1 in each organization, and on the platform; the highest is in force';
comment on column expiry_policy_versions.made_by is 'Subject of whoever made it; null for declarative files, and for what was there before there was a history';
comment on column expiry_policy_versions.stopped is 'How many credentials that worked it ended then and there; null where nobody counted';
comment on column expiry_policy_versions.stopped_in_use is 'How many of these had been used in the 30 days before';

insert into expiry_policy_versions (organization_id, number, max_lifetime_seconds, default_lifetime_seconds,
    idle_timeout_seconds, access_token_max_ttl_seconds, max_active_tokens, applies_to, exempt_roles, applies_since, made_at)
  select organization_id, 1, max_lifetime_seconds, default_lifetime_seconds, idle_timeout_seconds,
    access_token_max_ttl_seconds, max_active_tokens, applies_to, exempt_roles, applies_since, applies_since
  from expiry_policies;

create function keep_history() returns trigger language plpgsql as $$
begin
  raise restrict_violation using
    message = 'history is only added to', schema = tg_table_schema, table = tg_table_name, constraint = tg_name;
end $$;
create trigger expiry_policy_versions_keep before update on expiry_policy_versions
  for each row execute function keep_history();
