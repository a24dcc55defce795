-- What whoever issues a credential could manage, which is all it ever manages; and a way to an organization's API keys.

alter table credentials add column issued_scopes text[];
comment on column credentials.issued_scopes is 'The issuer''s scopes of the management API when it was issued, as granted: it never manages more, whatever its role becomes. Null for no such cap: its owner made it, or it is older than this column';

create index credentials_keys_idx on credentials (organization_id, created_at, id) where kind = 'organization';
