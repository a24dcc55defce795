-- Families of credentials have a name, so that finding the living end of one takes one look, however long it is.

alter table credentials add column family text;
comment on column credentials.family is 'Id of the first generation; null for that one itself';
with recursive successors as (
  select id, replaces as family from credentials
  where replaces in (select id from credentials where replaces is null)
  union all
  select c.id, s.family from credentials c join successors s on c.replaces = s.id
)
update credentials c set family = s.family from successors s where c.id = s.id;
create index credentials_family_idx on credentials (family, overlap_until desc nulls first) where family is not null;

-- Whoever inserts a successor: an instance of the version before, during an upgrade, does not know of families.
create function inherit_family() returns trigger language plpgsql set search_path from current as $$
begin
  new.family := (select coalesce(family, id) from credentials where id = new.replaces);
  return new;
end $$;
create trigger credentials_inherit_family before insert on credentials
  for each row when (new.replaces is not null) execute function inherit_family();
