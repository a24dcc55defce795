-- An organization's policy need not say how many credentials an owner may hold: null is no rule, as in its other limits.
-- The platform's always says it.

alter table expiry_policies alter column max_active_tokens drop not null,
  add constraint expiry_policies_platform_count_check check (organization_id is not null or max_active_tokens is not null);
alter table expiry_policy_versions alter column max_active_tokens drop not null;
comment on column expiry_policies.max_active_tokens is 'Null means no rule, which the platform''s policy cannot say';
comment on column expiry_policy_versions.stopped_in_use is 'How many, used in the 30 days before, it newly ended there and then or within a day';
