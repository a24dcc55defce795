-- oidc-provider's own state: replay detection of client assertions, sessions, grants, device codes.

create table oidc_artifacts (
  model text not null,
  id text not null,
  payload jsonb not null,
  grant_id text,
  user_code text,
  uid text,
  consumed_at timestamptz,
  expires_at timestamptz not null,
  primary key (model, id)
);
create index oidc_artifacts_grant_id_idx on oidc_artifacts (grant_id) where grant_id is not null;
create unique index oidc_artifacts_user_code_key on oidc_artifacts (user_code) where user_code is not null;
create unique index oidc_artifacts_uid_key on oidc_artifacts (model, uid) where uid is not null;
create index oidc_artifacts_expires_at_idx on oidc_artifacts (expires_at);
comment on column oidc_artifacts.id is 'SHA-256 of oidc-provider''s id, which can itself be a bearer secret';
