-- Reading the audit trail: what is looked for by something rare must not read what is common. Exchanges that were
-- granted are nearly all records, and get no index entry but that of their client.

create index audit_events_client_idx on audit_events (client_id, occurred_at) where client_id is not null;
create index audit_events_type_idx on audit_events (type, occurred_at) where type <> 'exchange.granted';
create index audit_events_failure_idx on audit_events (occurred_at)
  where type in ('exchange.refused', 'api.refused', 'credential.reuse_detected');
comment on column audit_events.request_id is 'UUIDv7 of the request: it says when the record was made, and needs no index';
