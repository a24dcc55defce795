-- What the token status lists say, found without reading past the credentials that work.

create index credentials_revoked_status_idx on credentials (status_index) where revoked_at is not null;
create index credentials_expiry_idx on credentials (expires_at) include (status_index)
  where revoked_at is null and expires_at is not null;
create index credentials_overlap_idx on credentials (overlap_until) include (status_index)
  where revoked_at is null and overlap_until is not null;
create index credentials_without_role_idx on credentials (status_index)
  where kind = 'organization' and role_id is null and revoked_at is null;
create index users_stopped_idx on users (status, id) where status <> 'active';
create index memberships_without_role_idx on memberships (user_id, organization_id) where role_id is null;

create table former_members (
  user_id uuid not null,
  organization_id uuid not null,
  primary key (user_id, organization_id)
);
comment on table former_members is 'Everyone who may hold credentials of an organization without being a member: a place to look, not a judgement, since who comes back stays listed';

insert into former_members (user_id, organization_id)
  select distinct owner_id, organization_id from credentials c
  where owner_id is not null and not exists (
    select from memberships m where m.user_id = c.owner_id and m.organization_id = c.organization_id);

create function note_former_member() returns trigger language plpgsql set search_path from current as $$
begin
  insert into former_members (user_id, organization_id) values (old.user_id, old.organization_id)
    on conflict do nothing;
  return null;
end $$;
create trigger memberships_note_former after delete or update of user_id, organization_id on memberships
  for each row execute function note_former_member();

create function note_outsider() returns trigger language plpgsql set search_path from current as $$
begin
  insert into former_members (user_id, organization_id)
    select new.owner_id, new.organization_id
    where not exists (
      select from memberships where user_id = new.owner_id and organization_id = new.organization_id)
    on conflict do nothing;
  return null;
end $$;
create trigger credentials_note_outsider after insert or update of owner_id, organization_id on credentials
  for each row when (new.owner_id is not null) execute function note_outsider();
