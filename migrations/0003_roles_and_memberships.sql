-- Who may do what. Read live at every exchange, never copied into a credential.

create table roles (
  id uuid primary key,
  organization_id uuid references organizations (id) on delete cascade,
  name text not null check (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  reach text not null check (reach in ('platform', 'organization')),
  created_at timestamptz not null,
  unique nulls not distinct (organization_id, name),
  constraint roles_reach_in_organization_check check (organization_id is null or reach = 'organization')
);
comment on column roles.organization_id is 'Null for the built-in roles, which every organization has';
comment on column roles.reach is 'How far the role''s management rights go: every organization, or only the member''s own';

create table role_permissions (
  role_id uuid not null references roles (id) on delete cascade,
  resource_server_id uuid not null references resource_servers (id) on delete cascade,
  scopes text[] not null check (cardinality(scopes) > 0),
  primary key (role_id, resource_server_id)
);
create index role_permissions_resource_server_id_idx on role_permissions (resource_server_id);
comment on column role_permissions.scopes is 'Scopes and wildcards of the scope grammar';

create table memberships (
  user_id uuid not null references users (id) on delete cascade,
  organization_id uuid not null references organizations (id) on delete cascade,
  role_id uuid not null references roles (id),
  created_at timestamptz not null,
  primary key (user_id, organization_id)
);
create index memberships_organization_id_idx on memberships (organization_id, user_id);
create index memberships_role_id_idx on memberships (role_id);

-- A role is one of its own organization, or a built-in one. No foreign key says "the same or none", so a trigger does.
create function require_assignable_role() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (select from roles where id = new.role_id and organization_id <> new.organization_id) then
    raise foreign_key_violation using
      message = format('role %s is one of another organization than %s', new.role_id, new.organization_id),
      schema = tg_table_schema, table = tg_table_name, constraint = tg_name;
  end if;
  return new;
end $$;
create trigger memberships_assignable_role before insert or update of role_id, organization_id on memberships
  for each row execute function require_assignable_role();

create function keep_organization() returns trigger language plpgsql as $$
begin
  raise restrict_violation using
    message = 'a role stays in its organization', schema = tg_table_schema, table = tg_table_name, constraint = tg_name;
end $$;
create trigger roles_keep_organization before update of organization_id on roles
  for each row when (old.organization_id is distinct from new.organization_id) execute function keep_organization();
