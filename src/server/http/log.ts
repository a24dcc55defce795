// JSON lines on stdout. Redaction is the last net: nothing secret is handed to a logger in the first place.

import { type DestinationStream, type Logger, pino } from 'pino'
import { redactCredentials } from '../../protocol/credential.ts'

export type { Logger } from 'pino'

/** An error's own words and where it came from. Its other members may hold whatever was being worked on. */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: redactCredentials(String(error)) }
  const { code } = error as { code?: unknown }
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: redactCredentials(error.message),
    stack: redactCredentials(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  }
}

export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
    redact: {
      paths: ['authorization', '*.authorization', 'subject_token', '*.subject_token', 'token', '*.token'],
      censor: '[redacted]',
    },
  }
  return destination ? pino(options, destination) : pino(options)
}
