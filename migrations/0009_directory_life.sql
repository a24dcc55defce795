-- The directory's life after creation: what is deleted stays dead, and says in the audit trail what it was.

alter table organizations add column deleted_at timestamptz;
comment on column organizations.deleted_at is 'From here on nothing in it works; the row stays, because its slug stands in tokens and must never name another organization';

-- A role may be deleted while people and keys have it: they keep their place and lose what it gave.
alter table memberships alter column role_id drop not null;
alter table memberships drop constraint memberships_role_id_fkey;
alter table memberships add constraint memberships_role_id_fkey
  foreign key (role_id) references roles (id) on delete set null;
comment on column memberships.role_id is 'Null after the role was deleted: still a member, without rights';

alter table credentials drop constraint credentials_role_id_fkey;
alter table credentials add constraint credentials_role_id_fkey
  foreign key (role_id) references roles (id) on delete set null;
alter table credentials drop constraint credentials_kind_role_check;
alter table credentials add constraint credentials_kind_role_check check (kind = 'organization' or role_id is null);
comment on column credentials.role_id is 'The fixed role of an API key, null once that role was deleted; null for a PAT, whose role is its owner''s membership';

alter table credentials add column reuse_detected_at timestamptz;
comment on column credentials.reuse_detected_at is 'First use of its predecessor after the overlap: somebody holds a value they should not';
create index credentials_live_idx on credentials (created_at, id) where revoked_at is null;
drop index credentials_replaces_idx;
create unique index credentials_replaces_key on credentials (replaces);
comment on index credentials_replaces_key is 'A credential has one successor at most';

alter table audit_events add column target text;
comment on column audit_events.target is 'What was changed, as noun:name, where it is not a credential';
create index audit_events_target_idx on audit_events (target, occurred_at) where target is not null;
create index audit_events_actor_idx on audit_events (actor, occurred_at) where actor is not null;
