// The shape of `config/patmint.yaml`. The JSON schema in `config/` is generated from it.

import { z } from 'zod'
import { isCidr } from '../../protocol/cidr.ts'
import { parseCredential } from '../../protocol/credential.ts'
import { noticesSchema } from './notices.ts'
import { shaped, text, when, wholeNumber } from './value.ts'

function isIssuer(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && url.origin === text
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
/** 0 switches a limit off. */
const MOST = 1_000_000
/** As many as `auto` gives at most. */
export const MAX_WORKERS = 64
const DPOP_NONCES = ['off', 'required'] as const
const REUSE_REACTIONS = ['flag', 'revoke_family'] as const

// Errors never quote the value: what is wrong may be a secret.
const ERRORS = {
  issuer: 'must be an http(s) origin without path or trailing slash, such as https://sts.example.com',
  port: 'must be a port number (in Kubernetes, a Service called patmint sets PATMINT_PORT: use enableServiceLinks: false)',
  metrics_port:
    'must be a port number, or off (in Kubernetes, a Service called patmint-metrics sets PATMINT_METRICS_PORT: use enableServiceLinks: false)',
  otlp_endpoint: 'must be an http(s) URL, such as http://localhost:4318',
  trace_ratio: 'must be a number from 0 to 1',
  workers: `must be a whole number from 1 to ${MAX_WORKERS}, or auto`,
  cidr: 'must be a CIDR block such as 10.0.0.0/8, 10.0.0.5/32 or 2001:db8::/32',
  database_url: 'must be a postgres:// URL',
  secret_key: 'must be 32 bytes in base64url (43 characters), or several of those separated by commas',
  bootstrap_token: 'must be a well-formed PAT (pat_…)',
  bootstrap_password: 'must be text of 8 to 256 characters',
  log_level: `must be one of ${LOG_LEVELS.join(', ')}`,
  dpop_nonce: `must be one of ${DPOP_NONCES.join(', ')}`,
  credential_reuse: `must be one of ${REUSE_REACTIONS.join(', ')}`,
  list: 'must be a list',
} as const

/** The configuration file as written. Unknown keys are refused. */
export const configFileSchema = z
  .strictObject({
    issuer: shaped(/^https?:\/\/[^/?#\s]+$/, isIssuer, ERRORS.issuer)
      .describe(
        'Issuer URL; the only source of every URL that is printed or signed. Default http://localhost:<port>',
      )
      .optional(),
    host: text.default('127.0.0.1').describe('Address to listen on'),
    port: z
      .int({ error: ERRORS.port })
      .min(0)
      .max(65_535)
      .default(8693)
      .describe('Port to listen on; 0 takes any free one'),
    workers: z
      .union([z.literal('auto'), z.int({ error: ERRORS.workers }).min(1).max(MAX_WORKERS)], {
        error: ERRORS.workers,
      })
      .default(1)
      .describe(
        'Processes that serve behind the one port; auto: as many as there are cores for this process',
      ),
    trusted_proxies: z
      .array(z.string({ error: ERRORS.cidr }).refine(isCidr, { error: ERRORS.cidr }), {
        error: ERRORS.list,
      })
      .default([])
      .describe('CIDR blocks of the proxies whose X-Forwarded-For is believed'),
    database_url: shaped(/^postgres(ql)?:\/\/./, URL.canParse, ERRORS.database_url)
      .describe('Postgres 15 or newer; absent: an embedded Postgres in the data folder')
      .optional(),
    database_pool_size: wholeNumber(2, 100)
      .default(10)
      .describe('Connections to Postgres that each worker holds at most'),
    database_connect_seconds: wholeNumber(1, 60)
      .default(3)
      .describe('Longest wait for a connection to Postgres, one that comes free or a new one'),
    database_lock_seconds: wholeNumber(1, 60)
      .default(3)
      .describe('Longest wait of a statement for what others have locked'),
    database_statement_seconds: wholeNumber(1, 60)
      .default(4)
      .describe('Longest run of a statement, with its locks; Postgres ends it then'),
    exchange_deadline_seconds: wholeNumber(1, 60)
      .default(4)
      .describe(
        'Longest an exchange waits for the database, all its statements together, before it is a 503',
      ),
    data_dir: text.default('.patmint').describe('Embedded database and generated secrets'),
    secret_key: z
      .string({ error: ERRORS.secret_key })
      .regex(/^[\w-]{43}(,[\w-]{43})*$/)
      .describe('32 bytes base64url; several with commas: the first encrypts and peppers, all are accepted')
      .optional(),
    apply: z
      .array(text, { error: ERRORS.list })
      .default([])
      .describe('Declarative files applied at every start'),
    bootstrap_token: shaped(
      /^pat_[0-9a-f]{64}$/,
      (token) => parseCredential(token) !== undefined,
      ERRORS.bootstrap_token,
    )
      .describe('PAT of the first platform admin on an empty database')
      .optional(),
    bootstrap_password: z
      .string({ error: ERRORS.bootstrap_password })
      .min(8)
      .max(256)
      .describe('Sign-in password of that admin')
      .optional(),
    key_rotation_days: wholeNumber(0, 3650)
      .default(30)
      .describe('How long a key signs until the next one is published; 0: until somebody rotates'),
    key_poll_seconds: wholeNumber(1, 300)
      .default(10)
      .describe('How often a process looks whether the signing keys have changed'),
    jwks_max_age_seconds: wholeNumber(1, 86_400)
      .default(300)
      .describe(
        'How long verifiers may keep the JWKS; a new key is published at least that long before it signs',
      ),
    log_level: z
      .enum(LOG_LEVELS, { error: ERRORS.log_level })
      .default('info')
      .describe('Least severe level that is logged'),
    credential_reuse: z
      .enum(REUSE_REACTIONS, { error: ERRORS.credential_reuse })
      .default('flag')
      .describe(
        'What becomes of the successor when a rotated credential is used after its overlap: it is flagged for its ' +
          'owner and admins, or every credential of the family is revoked',
      ),
    dpop_proof_seconds: wholeNumber(5, 600)
      .default(60)
      .describe('How long after its iat a DPoP proof is accepted; five seconds more for clocks that differ'),
    dpop_nonce: z
      .enum(DPOP_NONCES, { error: ERRORS.dpop_nonce })
      .default('off')
      .describe('Whether a DPoP proof must hold a nonce this server gave'),
    metrics_host: text.default('127.0.0.1').describe('Address to serve /metrics on'),
    metrics_port: z
      .union([z.int().min(0).max(65_535), z.literal('off')], { error: ERRORS.metrics_port })
      .describe(
        'Port of /metrics; 0 takes any free one, off serves none. Default 9464, or none if that is taken',
      )
      .optional(),
    otlp_endpoint: shaped(/^https?:\/\/[^?#\s]+$/, URL.canParse, ERRORS.otlp_endpoint)
      .describe('OpenTelemetry collector (OTLP over HTTP) that traces are sent to; absent: none are made')
      .optional(),
    trace_ratio: z
      .number({ error: ERRORS.trace_ratio })
      .min(0)
      .max(1)
      .default(1)
      .describe('Share of the requests to trace that come without a decision of their caller about it'),
    status_list_ttl_seconds: wholeNumber(1, 600)
      .default(30)
      .describe('Longest a revocation takes to reach services that verify by the status list'),
    status_list_lifetime_seconds: wholeNumber(2, 3600)
      .default(600)
      .describe('How long a status list holds where no newer one can be had, as while the database is away'),
    subject_token_type_aliases: z
      .array(text, { error: ERRORS.list })
      .default(['urn:logto:token-type:personal_access_token'])
      .describe('Further subject_token_type values that mean a credential'),
    credential_hash: z
      .strictObject(
        {
          memory_kib: wholeNumber(8, 1_048_576).default(1024),
          passes: wholeNumber(1, 100).default(1),
          lanes: wholeNumber(1, 16).default(1),
        },
        { error: 'must hold memory_kib, passes and lanes' },
      )
      // RFC 9106 section 3.1.
      .refine(({ memory_kib, lanes }) => memory_kib >= 8 * lanes, {
        path: ['memory_kib'],
        error: 'must be at least 8 for every lane',
        when,
      })
      .default({ memory_kib: 1024, passes: 1, lanes: 1 })
      .describe('argon2id parameters for credentials, whose secret part has 160 random bits'),
    client_jwks_allowed_cidrs: z
      .array(z.string({ error: ERRORS.cidr }).refine(isCidr, { error: ERRORS.cidr }), { error: ERRORS.list })
      .default([])
      .describe('CIDR blocks that jwks_uri of a client may lead to although they are not public'),
    failure_window_seconds: wholeNumber(1, 86_400)
      .default(60)
      .describe('Span in which failures are counted; it begins with the first one'),
    failures_per_address: wholeNumber(0, MOST)
      .default(100)
      .describe('Failed attempts from one address (of IPv6, a /56) in a span; 0: no limit'),
    failures_per_client: wholeNumber(0, MOST)
      .default(1000)
      .describe('Failed attempts by one client that authenticated itself in a span; 0: no limit'),
    failures_per_credential: wholeNumber(0, MOST)
      .default(10)
      .describe('Failed attempts at one credential from one address in a span; 0: no limit'),
    hash_queue_limit: wholeNumber(1, 100_000)
      .default(500)
      .describe('Hashes of credentials that may wait for a thread; beyond that the answer is 503'),
    max_in_flight: wholeNumber(1, 100_000)
      .default(1000)
      .describe('Requests that may work at once in a process; beyond that the answer is 503'),
    keep_alive_seconds: wholeNumber(1, 3600)
      .default(75)
      .describe('How long an idle connection stays open; longer than the load balancer keeps it'),
    notices: noticesSchema.optional(),
  })
  // Of what is no number nothing is less.
  .refine((file) => !(file.status_list_lifetime_seconds < 2 * file.status_list_ttl_seconds), {
    path: ['status_list_lifetime_seconds'],
    error: 'must be at least twice status_list_ttl_seconds',
    when: () => true,
  })
  .refine((file) => file.database_url === undefined || file.secret_key !== undefined, {
    path: ['secret_key'],
    error: 'is required with a database URL: the database is worthless without the key it was written with',
    // Also when other keys are wrong: every problem is told at once.
    when: () => true,
  })

export type ConfigFile = z.output<typeof configFileSchema>
