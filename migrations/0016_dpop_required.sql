-- Resource servers that take no token but one bound to a key (DPoP, RFC 9449).

alter table resource_servers add column dpop_required boolean not null default false;
comment on column resource_servers.dpop_required is 'An exchange for it needs a DPoP proof';
