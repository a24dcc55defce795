-- One record per attempt that reached a decision. Append only; partitioned by month so that old months can be detached.

create table audit_events (
  id uuid not null,
  occurred_at timestamptz not null,
  type text not null check (type ~ '^[a-z_]+\.[a-z_]+$'),
  reason text,
  organization_id uuid,
  subject text,
  credential_id text,
  client_id text,
  actor text,
  audiences text[],
  scopes text[],
  token_id text,
  ip inet,
  user_agent text,
  request_id text,
  detail jsonb,
  primary key (occurred_at, id)
) partition by range (occurred_at);
create table audit_events_default partition of audit_events default;
create index audit_events_organization_idx on audit_events (organization_id, occurred_at);
create index audit_events_credential_idx on audit_events (credential_id, occurred_at);
create index audit_events_subject_idx on audit_events (subject, occurred_at);
comment on column audit_events.type is 'noun.verb, for example exchange.granted or exchange.refused';
comment on column audit_events.reason is 'The true cause of a refusal, which the client never learns';
comment on column audit_events.subject is 'Whose rights: a user''s id, or key:<id>';
comment on column audit_events.token_id is 'The claim "jti" of the token that was issued';
