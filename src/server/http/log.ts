// JSON lines on stdout. Redaction is the last net: nothing secret is handed to a logger in the first place.

import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: ['authorization', '*.authorization', 'subject_token', '*.subject_token', 'token', '*.token'],
      censor: '[redacted]',
    },
  }
  return destination ? pino(options, destination) : pino(options)
}
