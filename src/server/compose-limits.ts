// What the process bounds, built from the configuration: hashes, failures, requests in flight. What is refused is
// counted; the log learns that a limit was reached, and not of every request that met it.

import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { OVERLOAD_REASONS, type OverloadReason } from '../protocol/overload.ts'
import type { Limits } from './config/config.ts'
import {
  type AttemptLimits,
  createAttemptLimits,
  LIMIT_NAMES,
  type LimitName,
  type LimitObserver,
} from './credential/attempt-limits.ts'
import type { CredentialHasher } from './credential/hash.ts'
import { type HashObserver, HashQueue } from './credential/hash-queue.ts'
import { InFlight } from './http/in-flight.ts'
import type { Logger } from './http/log.ts'
import { createOverloadLog } from './http/overload-log.ts'
import { createFailureCount } from './http/rate-limit.ts'

/** More than the cores gains nothing, and one of libuv's four threads is left to the signatures. */
const HASHES_AT_ONCE = Math.min(availableParallelism(), 3)
const HASH_WAIT_MS = 2000
/** One connection that is over a limit asks ten times a second at most. */
const REFUSED_WAIT_MS = 100

/** How busy the process is, and how often it said no since it started. */
export interface Load {
  readonly requestsInFlight: number
  readonly hashesRunning: number
  readonly hashesWaiting: number
  readonly overloads: Readonly<Record<OverloadReason, number>>
  readonly refusedAttempts: Readonly<Record<LimitName, number>>
}

export interface ProcessLimits {
  readonly hashQueue: HashQueue
  readonly inFlight: InFlight
  /** Limits whose failures are counted apart from those of all others. */
  readonly createAttemptLimits: (limits: Limits, hasher: Pick<CredentialHasher, 'remembers'>) => AttemptLimits
  readonly readLoad: () => Load
}

export function composeLimits(
  limits: Limits,
  log: Logger,
  clock: () => Date,
  hashObserver: Pick<Partial<HashObserver>, 'onHash'>,
): ProcessLimits {
  const overloads = countersOf(OVERLOAD_REASONS)
  const refusedAttempts = countersOf(LIMIT_NAMES)
  const logOverload = createOverloadLog(log, clock)
  const onOverload = (reason: OverloadReason): void => {
    overloads[reason] += 1
    logOverload(reason)
  }
  const observer: LimitObserver = {
    onReached: (limit, { address, clientId, presented }) =>
      log.info({ limit, ip: address, clientId, credentialId: presented?.id }, 'too many failures'),
    onRefused: (limit) => {
      refusedAttempts[limit] += 1
    },
  }
  const queueLimits = { atOnce: HASHES_AT_ONCE, waiting: limits.hashQueue, waitMs: HASH_WAIT_MS }
  const hashQueue = new HashQueue(queueLimits, { ...hashObserver, onOverload })
  const inFlight = new InFlight(limits.inFlight, onOverload)
  return {
    hashQueue,
    inFlight,
    createAttemptLimits: (chosen, hasher) =>
      createAttemptLimits(countFailures(chosen), hasher, observer, () => sleep(REFUSED_WAIT_MS)),
    readLoad: () => ({
      requestsInFlight: inFlight.size,
      hashesRunning: hashQueue.running,
      hashesWaiting: hashQueue.waiting,
      overloads: { ...overloads },
      refusedAttempts: { ...refusedAttempts },
    }),
  }
}

function countFailures(limits: Limits) {
  const count = (points: number) => createFailureCount({ points, seconds: limits.failureWindowSeconds })
  return {
    address: count(limits.failuresPerAddress),
    client: count(limits.failuresPerClient),
    credential: count(limits.failuresPerCredential),
  }
}

const countersOf = <Name extends string>(names: readonly Name[]): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
