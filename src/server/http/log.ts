// JSON lines on stdout. What a line may say is listed here, each field with how it is written: what is not in the list is
// left out, whatever it holds, and text never shows a credential. A new field is a new line of the list.

import { type DestinationStream, pino } from 'pino'
import { redactCredentials } from '../../protocol/credential.ts'

const MAX_TEXT = 4000

const writeText = (text: string): string => redactCredentials(String(text)).slice(0, MAX_TEXT)
const writeTexts = (texts: readonly string[]): unknown[] => texts.map(writeText)
const writeNumber = (number: number): number => Number(number)

/** An error's own words and where it came from. Its other members may hold whatever was being worked on. */
function writeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: writeText(String(error)) }
  const { code } = error as { code?: unknown }
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: writeText(error.message),
    stack: writeText(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: writeError(error.cause) }),
  }
}

const FIELDS = {
  err: writeError,
  requestId: (id: unknown) => writeText(String(id)),
  trace_id: writeText,
  // A request, and what became of it.
  method: writeText,
  path: writeText,
  status: writeNumber,
  durationMs: writeNumber,
  ip: writeText,
  clientId: writeText,
  credentialId: writeText,
  limit: writeText,
  error: writeText,
  cause: writeText,
  // The server itself.
  url: writeText,
  issuer: writeText,
  worker: writeNumber,
  workers: writeNumber,
  how: writeText,
  signal: writeText,
  deadlineMs: writeNumber,
  reason: writeText,
  untold: writeNumber,
  task: writeText,
  receiver: writeText,
  line: writeText,
  email: writeText,
  dataDir: writeText,
  changes: writeTexts,
  // A statement, without its values.
  outcome: writeText,
  sql: writeText,
} as const satisfies Record<string, (value: never) => unknown>

/** What a line may say beside its message. Null says that there is none; undefined says nothing. */
export type LogFields = {
  readonly [Name in keyof typeof FIELDS]?: Parameters<(typeof FIELDS)[Name]>[0] | null | undefined
}

type Level = 'debug' | 'info' | 'warn' | 'error'

export interface Logger extends Readonly<Record<Level, (fields: LogFields, message: string) => void>> {
  /** Asked before what a line would say is worked out. */
  readonly isLevelEnabled: (level: Level) => boolean
  /** One that says `fields` in every line. */
  readonly child: (fields: LogFields, options?: { readonly level?: Level }) => Logger
}

const writeFields = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(FIELDS).flatMap(([name, write]) => {
      const value = fields[name]
      if (value === undefined) return []
      return [[name, value === null ? null : write(value as never)]]
    }),
  )

/** `traceId` says in which trace a line was written, where there is one. */
export function createLogger(
  level: string,
  destination?: DestinationStream,
  traceId?: () => string | undefined,
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: writeFields },
    // Else pino would write `err` by itself, before the list is asked.
    serializers: { err: (written: unknown) => written },
    ...(traceId && { mixin: () => ({ trace_id: traceId() }) }),
  }
  return toLogger(destination ? pino(options, destination) : pino(options))
}

const toLogger = (target: pino.Logger): Logger => ({
  debug: (fields, message) => target.debug(fields, message),
  info: (fields, message) => target.info(fields, message),
  warn: (fields, message) => target.warn(fields, message),
  error: (fields, message) => target.error(fields, message),
  isLevelEnabled: (level) => target.isLevelEnabled(level),
  child: (fields, options = {}) => toLogger(target.child(writeFields(fields), options)),
})
