-- How much a credential is used, so that a preview of a policy shows first what would be missed most.

alter table credentials add column recent_use real not null default 0;
comment on column credentials.recent_use is 'Minutes in which it was used, each counting half as much 30 days later; as of last_used_at';
