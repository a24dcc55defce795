-- Notices of credentials that are about to end: what is to be told, to whom it was told, and what could not be told.

create table notices (
  id uuid primary key,
  credential_id text not null references credentials (id) on delete cascade,
  organization_id uuid not null references organizations (id) on delete cascade,
  days integer not null check (days > 0),
  channel text not null check (channel in ('email', 'webhook')),
  receiver text not null check (length(receiver) between 1 and 300),
  ends_on date not null,
  state text not null check (state in ('pending', 'delivered', 'failed', 'cancelled')),
  reason text check (length(reason) <= 300),
  attempts integer not null default 0,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  constraint notices_once_key unique (credential_id, ends_on, channel, receiver, days)
);
create index notices_created_idx on notices (created_at, id);
create index notices_organization_idx on notices (organization_id, created_at, id);
create index notices_open_idx on notices (state, created_at, id) where state in ('pending', 'failed');
create index notices_ends_on_idx on notices (ends_on);
comment on table notices is 'One row for each notice there ever was; its job is made in the same transaction';
comment on column notices.id is 'UUIDv7 made by the application; the Message-ID of the mail and the webhook-id of the request';
comment on column notices.days is 'The threshold it is for: so many days before the end';
comment on column notices.receiver is 'Which one of its channel: the name of a webhook; "email" for mails';
comment on column notices.ends_on is 'The day, in UTC, on which the credential ends; a notice about another day is another notice';
comment on column notices.reason is 'Why it is cancelled, or what the last try failed for; null when neither';
comment on column notices.attempts is 'How often it was tried to deliver it, the successful one included';
comment on column notices.changed_at is 'When it took on its state, or was last tried';
comment on constraint notices_once_key on notices is 'Once for each credential, end, receiver and threshold, however many instances look';
