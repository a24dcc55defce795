// What is measured and traced of an exchange: wrappers around its steps, put on where they are handed out. Neither the
// steps nor the telemetry know of each other, and what is off leaves the functions as they are.

import type { Middleware } from 'koa'
import type { PresentedCredential } from '../protocol/credential.ts'
import type { Load } from './compose-limits.ts'
import type { CredentialHasher } from './credential/hash.ts'
import type { LookAhead } from './credential/look-ahead.ts'
import type { Standing } from './credential/standing.ts'
import { isDatabaseAway, type QueryEvent } from './db/database.ts'
import type { Exchange, ExchangeOutcome } from './exchange/exchange.ts'
import { causeOf, REFUSAL_CAUSES } from './exchange/refusal.ts'
import type { GroupCommit, Ledger } from './ledger/ledger.ts'
import type { PeriodicTaskOptions } from './ledger/periodic-task.ts'
import type { TokenRefusal } from './provider/report.ts'
import type { KeyRing } from './signing/key-ring.ts'
import type { StatusLists } from './status/status-lists.ts'
import { measureExchanges, measureRequests, timed, traced } from './telemetry/measure.ts'
import { type Meter, OTHER } from './telemetry/meter.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import type { Attributes } from './telemetry/tracer.ts'

/** What oidc-provider refuses before an exchange is looked at; everything else of that kind is `other`. */
const CLIENT_REFUSED = 'client_authentication_failed'

/** Every value of the label `cause`. */
export const MEASURED_CAUSES = [
  // Nothing was judged then: such a request was shed.
  ...REFUSAL_CAUSES.filter((cause) => cause !== 'too_many_failures'),
  CLIENT_REFUSED,
]

export type Watched = ReturnType<typeof instrument>

export function instrument({ meter, tracer }: Telemetry) {
  return {
    hashObserver: meter
      ? { onHash: ({ tookMs }: { readonly tookMs: number }) => meter.hashSeconds(tookMs / 1000) }
      : {},
    onCheck: meter
      ? (isRemembered: boolean) => meter.secretsRemembered[isRemembered ? 'yes' : 'no']()
      : undefined,
    turnOptions: meter ? { onBatch: meter.lookUpBatch } : {},
    onCommit: meter ? (commit: GroupCommit) => measureCommit(meter, commit) : undefined,

    loadStanding: (load: (id: string) => Promise<Standing | undefined>) =>
      traced(tracer, 'load_standing', timed(meter?.standingSeconds, load)),

    beginLookUp: ({ begin }: LookAhead): LookAhead['begin'] =>
      tracer
        ? (presented) => {
            tracer.enterStep('authenticate_client')
            begin(presented)
          }
        : begin,

    hasher: (hasher: Pick<CredentialHasher, 'matches'>): Pick<CredentialHasher, 'matches'> => ({
      matches: traced(tracer, 'verify_secret', (presented: PresentedCredential, hash?: string) =>
        hasher.matches(presented, hash),
      ),
    }),

    exchange: (exchange: Exchange): Exchange =>
      tracer
        ? (request, client, context) => {
            tracer.leaveStep()
            const names = { 'patmint.client_id': client.clientId }
            return tracer.inSpan(
              'decide',
              () => exchange(request, client, context),
              (outcome) => ({ ...names, ...describeOutcome(outcome) }),
            )
          }
        : exchange,

    signAccessToken: (keyRing: Pick<KeyRing, 'signAccessToken'>): KeyRing['signAccessToken'] =>
      traced(
        tracer,
        'sign',
        timed(meter?.signSeconds, (...args) => keyRing.signAccessToken(...args)),
      ),

    ledger: (ledger: Pick<Ledger, 'record' | 'touch'>): Pick<Ledger, 'record' | 'touch'> =>
      tracer
        ? {
            record: (...args) => tracer.inSpan('record', () => ledger.record(...args)),
            touch: (use) => tracer.inSpan('record', () => ledger.touch(use)),
          }
        : ledger,

    onRefusal:
      (tell: (refusal: TokenRefusal) => void) =>
      (refusal: TokenRefusal): void => {
        const cause = nameCause(refusal)
        meter?.countRefusal(cause)
        tracer?.describe({ 'patmint.refusal_cause': cause })
        tell(refusal)
      },

    task: (
      task: string,
      clock: () => Date,
      { run, onError }: Pick<PeriodicTaskOptions, 'run' | 'onError'>,
    ) =>
      meter
        ? {
            run: async (signal: AbortSignal) => {
              await run(signal)
              meter.taskEnded(task, 'success', clock())
            },
            onError: (error: unknown) => {
              meter.taskEnded(task, 'failure', clock())
              onError(error)
            },
          }
        : { run, onError },

    /** The token endpoint, whose first step is to read the request. */
    answerToken: (answer: Middleware): Middleware => {
      const measured: Middleware = measureExchanges(meter, answer)
      return tracer
        ? (ctx, next) => {
            tracer.enterStep('read_request')
            return measured(ctx, next)
          }
        : measured
    },

    /** Stands outside of everything else. */
    middleware: (): Middleware[] => [
      ...(tracer ? [tracer.middleware] : []),
      ...(meter ? [measureRequests(meter)] : []),
    ],

    /** What is looked at when somebody scrapes. */
    state: ({ isReady, records, keyRing, statusLists, readLoad, clock }: State): void =>
      meter?.watch({
        databaseAnswers: isReady,
        waitingRecords: () => records.waiting,
        waitingHashes: () => readLoad().hashesWaiting,
        shed: () => listShed(readLoad()),
        keyActivations: () => keyRing.listActivations(clock()),
        statusListAgeSeconds: () => statusLists.ageSeconds,
      }),
  }
}

interface State {
  /** Answers below the time-out of a scrape. */
  readonly isReady: () => Promise<boolean>
  readonly records: Pick<Ledger, 'waiting'>
  readonly keyRing: Pick<KeyRing, 'listActivations'>
  readonly statusLists: Pick<StatusLists, 'ageSeconds'>
  readonly readLoad: () => Load
  readonly clock: () => Date
}

/** Of every way in which a request is turned away unheard. */
const listShed = ({ overloads, refusedAttempts }: Load): [string, number][] => [
  ...Object.entries(overloads),
  ...Object.entries(refusedAttempts).map(([limit, count]): [string, number] => [
    `failures_of_${limit}`,
    count,
  ]),
]

/** One of `MEASURED_CAUSES`, or `other`. oidc-provider's own causes are sentences. */
function nameCause({ error, cause = OTHER }: Pick<TokenRefusal, 'error' | 'cause'>): string {
  if (error === 'invalid_client') return CLIENT_REFUSED
  return MEASURED_CAUSES.includes(cause) ? cause : OTHER
}

function measureCommit({ ledgerGroup, ledgerSeconds }: Meter, commit: GroupCommit): void {
  ledgerGroup(commit.size)
  ledgerSeconds[commit.isDurable ? 'committed' : 'failed'](commit.durationMs / 1000)
}

/** A statement that ended. */
export function measureQuery({ querySeconds, databaseErrors }: Meter, event: QueryEvent): void {
  querySeconds(event.queryDurationMillis / 1000)
  if (event.level === 'error') databaseErrors[isDatabaseAway(event.error) ? 'away' : 'statement']()
}

const describeOutcome = ({ result, holder }: ExchangeOutcome): Attributes => ({
  ...(holder ? { 'patmint.credential_id': holder.credentialId } : {}),
  ...(result.ok
    ? { 'patmint.outcome': 'granted' }
    : { 'patmint.outcome': 'refused', 'patmint.refusal_cause': causeOf(result.error) }),
})
