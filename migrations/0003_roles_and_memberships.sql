-- Who may do what. Read live at every exchange, never copied into a credential.

create table roles (
  id uuid primary key,
  organization_id uuid references organizations (id) on delete cascade,
  name text not null check (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  reach text not null check (reach in ('platform', 'organization')),
  created_at timestamptz not null,
  unique nulls not distinct (organization_id, name),
  check (organization_id is null or reach = 'organization')
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
create index memberships_organization_id_idx on memberships (organization_id);
create index memberships_role_id_idx on memberships (role_id);
