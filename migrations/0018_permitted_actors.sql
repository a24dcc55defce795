-- Delegation (RFC 8693 section 1.1): a credential names who may act for its subject.

alter table credentials
  add column may_act jsonb,
  add constraint credentials_may_act_check check (may_act is null or jsonb_typeof(may_act) = 'array');
comment on column credentials.may_act is '[{sub, client_id?}] chosen at creation: actors, and the client that may ask for each; null for nobody';
