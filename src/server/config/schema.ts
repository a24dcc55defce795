// The shape of `config/patmint.yaml`. The JSON schema in `config/` is generated from it.

import { z } from 'zod'
import { parseCredential } from '../../protocol/credential.ts'

const SECRET_KEY_BYTES = 32

function isIssuer(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text
}

function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\/./.test(text) && URL.canParse(text)
}

const isSecretKey = (text: string): boolean =>
  /^[\w-]{43}$/.test(text) && Buffer.from(text, 'base64url').length === SECRET_KEY_BYTES

const secretKeys = z.string().refine((text) => text.split(',').every(isSecretKey), {
  error: 'must be 32 bytes in base64url (43 characters), or several of those separated by commas',
})

/** The configuration file as written. Unknown keys are refused. */
export const configFileSchema = z
  .strictObject({
    issuer: z
      .string()
      .refine(isIssuer, {
        error: 'must be an http(s) origin without path or trailing slash, such as https://sts.example.com',
      })
      .describe(
        'Issuer URL; the only source of every URL that is printed or signed. Default http://localhost:<port>',
      )
      .optional(),
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
    port: z
      .int({
        error:
          'must be a port number (in Kubernetes, a Service called patmint sets PATMINT_PORT: use enableServiceLinks: false)',
      })
      .min(0)
      .max(65_535)
      .default(8693)
      .describe('Port to listen on; 0 takes any free one'),
    database_url: z
      .string()
      .refine(isPostgresUrl, { error: 'must be a postgres:// URL' })
      .describe('Postgres 15 or newer; absent: an embedded Postgres in the data folder')
      .optional(),
    data_dir: z.string().min(1).default('.patmint').describe('Embedded database and generated secrets'),
    secret_key: secretKeys
      .describe('32 bytes base64url; several with commas: the first encrypts and peppers, all are accepted')
      .optional(),
    apply: z.array(z.string().min(1)).default([]).describe('Declarative files applied at every start'),
    bootstrap_token: z
      .string()
      .refine((text) => parseCredential(text)?.kind === 'personal', {
        error: 'must be a well-formed PAT (pat_…)',
      })
      .describe('PAT of the first platform admin on an empty database')
      .optional(),
    bootstrap_password: z
      .string()
      .min(8, { error: 'must have at least 8 characters' })
      .max(256)
      .describe('Sign-in password of that admin')
      .optional(),
    log_level: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .describe('Least severe level that is logged'),
    subject_token_type_aliases: z
      .array(z.string().min(1))
      .default(['urn:logto:token-type:personal_access_token'])
      .describe('Further subject_token_type values that mean a credential'),
    credential_hash: z
      .strictObject({
        memory_kib: z.int().min(8).max(1_048_576).default(1024),
        passes: z.int().min(1).max(100).default(1),
        lanes: z.int().min(1).max(16).default(1),
      })
      .default({ memory_kib: 1024, passes: 1, lanes: 1 })
      .describe('argon2id parameters for credentials, whose secret part has 160 random bits'),
  })
  .refine((file) => file.database_url === undefined || file.secret_key !== undefined, {
    path: ['secret_key'],
    error: 'is required with a database URL: the database is worthless without the key it was written with',
  })

export type ConfigFile = z.output<typeof configFileSchema>
