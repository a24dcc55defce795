-- Who has a notice that others are still to get, so that nobody gets it twice.

alter table notices add column told uuid[] not null default '{}';
comment on column notices.told is 'Users who have it, where the mail was not taken for all of them at once';
