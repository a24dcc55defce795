// The names of environment variables, and how the text of each becomes the value of its key. The only place that knows them.

import type { ConfigFile } from './schema.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A key of the file, or one further down, its steps separated by dots. */
type KeyPath = keyof ConfigFile | `${keyof ConfigFile}.${string}`

/** Environment variable of each key, and how its text becomes the key's value. */
export const VARIABLES = {
  PATMINT_ISSUER: ['issuer', asText],
  PATMINT_HOST: ['host', asText],
  PATMINT_PORT: ['port', asNumber],
  PATMINT_WORKERS: ['workers', asNumber],
  PATMINT_TRUSTED_PROXIES: ['trusted_proxies', asList],
  PATMINT_DATABASE_URL: ['database_url', asText],
  PATMINT_DATABASE_POOL_SIZE: ['database_pool_size', asNumber],
  PATMINT_DATABASE_CONNECT_SECONDS: ['database_connect_seconds', asNumber],
  PATMINT_DATABASE_LOCK_SECONDS: ['database_lock_seconds', asNumber],
  PATMINT_DATABASE_STATEMENT_SECONDS: ['database_statement_seconds', asNumber],
  PATMINT_EXCHANGE_DEADLINE_SECONDS: ['exchange_deadline_seconds', asNumber],
  PATMINT_DATA_DIR: ['data_dir', asText],
  PATMINT_SECRET_KEY: ['secret_key', asText],
  PATMINT_APPLY: ['apply', asList],
  PATMINT_BOOTSTRAP_TOKEN: ['bootstrap_token', asText],
  PATMINT_BOOTSTRAP_PASSWORD: ['bootstrap_password', asText],
  PATMINT_KEY_ROTATION_DAYS: ['key_rotation_days', asNumber],
  PATMINT_KEY_POLL_SECONDS: ['key_poll_seconds', asNumber],
  PATMINT_JWKS_MAX_AGE_SECONDS: ['jwks_max_age_seconds', asNumber],
  PATMINT_LOG_LEVEL: ['log_level', asText],
  PATMINT_CREDENTIAL_REUSE: ['credential_reuse', asText],
  PATMINT_CLIENT_JWKS_ALLOWED_CIDRS: ['client_jwks_allowed_cidrs', asList],
  PATMINT_DPOP_PROOF_SECONDS: ['dpop_proof_seconds', asNumber],
  PATMINT_DPOP_NONCE: ['dpop_nonce', asText],
  PATMINT_FAILURE_WINDOW_SECONDS: ['failure_window_seconds', asNumber],
  PATMINT_FAILURES_PER_ADDRESS: ['failures_per_address', asNumber],
  PATMINT_FAILURES_PER_CLIENT: ['failures_per_client', asNumber],
  PATMINT_FAILURES_PER_CREDENTIAL: ['failures_per_credential', asNumber],
  PATMINT_HASH_QUEUE_LIMIT: ['hash_queue_limit', asNumber],
  PATMINT_MAX_IN_FLIGHT: ['max_in_flight', asNumber],
  PATMINT_KEEP_ALIVE_SECONDS: ['keep_alive_seconds', asNumber],
  PATMINT_METRICS_HOST: ['metrics_host', asText],
  PATMINT_METRICS_PORT: ['metrics_port', asNumber],
  // The standard name. A variable of our own stands behind it, and so wins over it.
  OTEL_EXPORTER_OTLP_ENDPOINT: ['otlp_endpoint', asText],
  PATMINT_OTLP_ENDPOINT: ['otlp_endpoint', asText],
  PATMINT_TRACE_RATIO: ['trace_ratio', asDecimal],
  PATMINT_STATUS_LIST_TTL_SECONDS: ['status_list_ttl_seconds', asNumber],
  PATMINT_STATUS_LIST_LIFETIME_SECONDS: ['status_list_lifetime_seconds', asNumber],
  PATMINT_NOTICES_SMTP_URL: ['notices.email.smtp_url', asText],
  PATMINT_NOTICES_FROM: ['notices.email.from', asText],
  PATMINT_NOTICES_WEBHOOK_URL: ['notices.webhooks.0.url', asText],
  PATMINT_NOTICES_WEBHOOK_SECRET: ['notices.webhooks.0.secret', asText],
} as const satisfies Record<string, readonly [KeyPath, (text: string) => unknown]>

function asText(text: string): unknown {
  return text
}

function asNumber(text: string): unknown {
  return /^\d+$/.test(text) ? Number(text) : text
}

function asDecimal(text: string): unknown {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

function asList(text: string): unknown {
  const parts = text.split(',').map((part) => part.trim())
  return parts.filter((part) => part !== '')
}

/** The file's content with `value` at `path`; what stands in the way and holds nothing is left for the schema to judge. */
export function overlay(content: unknown, path: readonly string[], value: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return value
  const isIndex = /^\d+$/.test(step)
  const holder = content ?? (isIndex ? [] : {})
  if (typeof holder !== 'object' || Array.isArray(holder) !== isIndex) return content
  const within = (holder as Record<string, unknown>)[step]
  return Object.assign(Array.isArray(holder) ? [...holder] : { ...holder }, {
    [step]: overlay(within, rest, value),
  })
}
