// What the secrecy project looks at when all else is done: every secret a test saw, and every log a server wrote.

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

const CANARIES = 'canaries'

/** Notes a secret that must never be found in a database or a log. Gives it back. */
export function canary(secret: string): string {
  appendFileSync(canaryFile(), `${secret}\n`)
  return secret
}

export const canaryFile = (): string => join(inject('evidenceDir'), CANARIES)

/** A file for the output of one server. */
export const logFile = (name: string): string => join(inject('evidenceDir'), `${name}.log`)
