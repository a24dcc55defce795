-- Who exists. Ids are UUIDv7 made by the application.

create table organizations (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  name text not null check (length(name) between 1 and 200),
  created_at timestamptz not null
);
comment on column organizations.slug is 'Names the organization in URLs, in the declarative file and in the token claim "org"; never changes';

create table users (
  id uuid primary key,
  email text not null check (length(email) between 3 and 254),
  name text not null check (length(name) between 1 and 200),
  status text not null check (status in ('active', 'suspended', 'deleted')),
  password_hash text,
  created_at timestamptz not null
);
create unique index users_email_key on users (lower(email)) where status <> 'deleted';
comment on column users.status is 'Read at every exchange; anything but active stops every credential the user owns';
comment on column users.password_hash is 'argon2id in PHC string format, peppered; null for users who only sign in elsewhere';

create table identities (
  issuer text not null,
  subject text not null,
  user_id uuid not null references users (id) on delete cascade,
  created_at timestamptz not null,
  primary key (issuer, subject)
);
create index identities_user_id_idx on identities (user_id);
comment on table identities is 'A user''s account at an upstream OpenID Connect provider';
