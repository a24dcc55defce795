-- Reading the audit trail: what is rare must be found without reading past what is common, whichever that is. So what
-- succeeded lies apart from what did not, and what did not lies by its type. For each column an exchange writes one
-- entry, as before: one that was granted into the first index, one that was refused into the second.

drop index audit_events_organization_idx;
create index audit_events_organization_success_idx on audit_events (organization_id, occurred_at)
  where type not in ('exchange.refused', 'api.refused', 'credential.reuse_detected');
create index audit_events_organization_type_idx on audit_events (organization_id, type, occurred_at)
  where type <> 'exchange.granted';

drop index audit_events_credential_idx;
create index audit_events_credential_success_idx on audit_events (credential_id, occurred_at)
  where type not in ('exchange.refused', 'api.refused', 'credential.reuse_detected');
create index audit_events_credential_type_idx on audit_events (credential_id, type, occurred_at)
  where type <> 'exchange.granted';

drop index audit_events_subject_idx;
create index audit_events_subject_success_idx on audit_events (subject, occurred_at)
  where type not in ('exchange.refused', 'api.refused', 'credential.reuse_detected');
create index audit_events_subject_type_idx on audit_events (subject, type, occurred_at)
  where type <> 'exchange.granted';

create index audit_events_client_success_idx on audit_events (client_id, occurred_at)
  where client_id is not null and type not in ('exchange.refused', 'api.refused', 'credential.reuse_detected');
create index audit_events_client_type_idx on audit_events (client_id, type, occurred_at)
  where client_id is not null and type <> 'exchange.granted';

create index audit_events_type_idx on audit_events (type, occurred_at) where type <> 'exchange.granted';
comment on column audit_events.request_id is 'UUIDv7 of the request: it says when the record was made, and needs no index';
