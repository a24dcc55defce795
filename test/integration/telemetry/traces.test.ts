import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTelemetry, type Telemetry } from '../../../src/server/telemetry/telemetry.ts'
import { type Acme, ORDERS_BASIC, ORDERS_SECRET, startAcme, withAnotherSecret } from '../../support/acme.ts'
import { logFile } from '../../support/evidence.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import {
  type CollectedSpan,
  startTraceCollector,
  type TraceCollector,
} from '../../support/trace-collector.ts'

const API = 'https://api.example.com'
const CALLER = 'b7ad6b7169203331'

const openTracing = (otlpEndpoint: string, changes: unknown[] = [], traceRatio = 1): Promise<Telemetry> =>
  openTelemetry({
    measures: false,
    otlpEndpoint,
    traceRatio,
    version: '0.0.0',
    nodeVersion: '0.0.0',
    refusalCauses: [],
    onExportChange: (error) => changes.push(error),
  })

interface Traced {
  readonly collector: TraceCollector
  readonly acme: Acme
  readonly changes: unknown[]
}

const collectors: TraceCollector[] = []
async function start(traceRatio = 1): Promise<Traced> {
  const collector = await startTraceCollector()
  collectors.push(collector)
  const changes: unknown[] = []
  const acme = await startAcme({}, await openTracing(collector.url, changes, traceRatio))
  return { collector, acme, changes }
}
afterAll(() => {
  // For the search for secrets that comes after every other test.
  writeFileSync(logFile('traces'), collectors.map(({ received }) => received()).join('\n'))
  for (const { close } of collectors) close()
})

const inTrace = (traceId: string, flags = '01') => ({ traceparent: `00-${traceId}-${CALLER}-${flags}` })
const exchange = (acme: Acme, subject_token: string, headers: Record<string, string>) =>
  requestExchange(acme.url, { subject_token, audience: API }, headers)
const newTraceId = (): string => randomBytes(16).toString('hex')

/** `child < parent` of every span, by name. */
function describeTree(spans: readonly CollectedSpan[]): string[] {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]))
  return spans
    .map(({ name, parentSpanId = '' }) => `${name} < ${names.get(parentSpanId) ?? parentSpanId}`)
    .sort()
}

const find = (spans: readonly CollectedSpan[], name: string): CollectedSpan => {
  const span = spans.find((one) => one.name === name)
  if (!span) throw new Error(`no span ${name}`)
  return span
}

describe('a server that is traced', () => {
  const traces = {
    granted: newTraceId(),
    mismatch: newTraceId(),
    malformed: newTraceId(),
    unauthenticated: newTraceId(),
    api: newTraceId(),
    unmatched: newTraceId(),
    secret: newTraceId(),
  }
  let traced: Traced
  let granted: Answer
  const spansOf = (traceId: string): CollectedSpan[] =>
    traced.collector.spans().filter((span) => span.traceId === traceId)

  beforeAll(async () => {
    traced = await start()
    const { acme } = traced
    granted = await exchange(acme, acme.janePat, inTrace(traces.granted))
    await exchange(acme, withAnotherSecret(acme.janePat), inTrace(traces.mismatch))
    await exchange(acme, 'pat_pasted-by-mistake', inTrace(traces.malformed))
    const wrong = `Basic ${Buffer.from('orders-service:wrong').toString('base64')}`
    await requestExchange(
      acme.url,
      { client_id: undefined, subject_token: acme.janePat },
      { ...inTrace(traces.unauthenticated), Authorization: wrong },
    )
    const headers = inTrace(traces.api)
    await callApi(acme.url, acme.samPat, 'GET', '/tokens/0123456789abcdef?x=of-mine', undefined, headers)
    await fetch(`${acme.url}/of-mine/${acme.adaPat}?token=${acme.adaPat}`, {
      headers: inTrace(traces.unmatched),
    })
    await requestExchange(
      acme.url,
      { client_id: undefined, subject_token: acme.samPat, audience: API, client_secret: acme.adaPat },
      {
        ...inTrace(traces.secret),
        Authorization: ORDERS_BASIC,
        tracestate: `x=${acme.adaPat}`,
        baggage: `y=${acme.adaPat}`,
      },
    )
    // Sends what waits.
    await acme.stop()
  })

  it('makes an exchange a span of the trace its caller began, with a span for each of its steps', () => {
    expect(granted.status).toBe(200)
    const spans = spansOf(traces.granted)
    expect(describeTree(spans)).toEqual([
      `POST /oauth2/token < ${CALLER}`,
      'authenticate_client < POST /oauth2/token',
      'decide < POST /oauth2/token',
      'load_standing < POST /oauth2/token',
      'read_request < POST /oauth2/token',
      'record < POST /oauth2/token',
      'sign < POST /oauth2/token',
      'verify_secret < decide',
    ])
    const root = find(spans, 'POST /oauth2/token')
    expect(root).toMatchObject({ kind: 2, status: 0 })
    expect(root.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/oauth2/token',
      'http.response.status_code': 200,
      'url.path': '/oauth2/token',
      'url.scheme': 'https',
      'patmint.request_id': granted.headers.get('x-request-id'),
    })
    expect(find(spans, 'decide').attributes).toEqual({
      'patmint.outcome': 'granted',
      'patmint.credential_id': traced.acme.janePat.slice(4, 20),
      'patmint.client_id': 'patmint-cli',
    })
    expect(traced.collector.resource()).toMatchObject({
      'service.name': 'patmint',
      'service.version': '0.0.0',
    })
  })

  it('tells the cause of a refusal, which is no error of the server', () => {
    const spans = spansOf(traces.mismatch)
    expect(describeTree(spans)).toEqual([
      `POST /oauth2/token < ${CALLER}`,
      'authenticate_client < POST /oauth2/token',
      'decide < POST /oauth2/token',
      'load_standing < POST /oauth2/token',
      'read_request < POST /oauth2/token',
      'record < POST /oauth2/token',
      'verify_secret < decide',
    ])
    expect(find(spans, 'decide').attributes).toMatchObject({
      'patmint.outcome': 'refused',
      'patmint.refusal_cause': 'secret_mismatch',
    })
    expect(find(spans, 'POST /oauth2/token').attributes).toMatchObject({
      'http.response.status_code': 400,
      'patmint.refusal_cause': 'secret_mismatch',
    })
    expect(spans.map(({ status }) => status)).toEqual(spans.map(() => 0))
  })

  it('ends the trace of a refused request with the step that refused it', () => {
    const malformed = spansOf(traces.malformed)
    expect(describeTree(malformed)).toEqual([
      `POST /oauth2/token < ${CALLER}`,
      'read_request < POST /oauth2/token',
    ])
    const unauthenticated = spansOf(traces.unauthenticated)
    expect(describeTree(unauthenticated)).toEqual([
      `POST /oauth2/token < ${CALLER}`,
      'authenticate_client < POST /oauth2/token',
      'load_standing < POST /oauth2/token',
      'read_request < POST /oauth2/token',
    ])
    const causes = [malformed, unauthenticated].map(
      (spans) => find(spans, 'POST /oauth2/token').attributes['patmint.refusal_cause'],
    )
    expect(causes).toEqual(['credential_malformed', 'client_authentication_failed'])
  })

  it('names any other request by the template of its route, and tells nothing of path and query', () => {
    const named = [traces.api, traces.unmatched].flatMap(spansOf).filter(({ kind }) => kind === 2)
    expect(named.map(({ name }) => name)).toEqual(['GET /api/v1/tokens/{id}', 'GET unmatched'])
    expect(traced.collector.received()).not.toContain('of-mine')
  })

  it('sends no secret, whatever was presented', () => {
    const { janePat, samPat, adaPat } = traced.acme
    const secrets = [janePat, samPat, adaPat].flatMap((pat) => [pat, pat.slice(20, 60)])
    const sent = traced.collector.received()
    expect(sent).toContain(janePat.slice(4, 20))
    const never = [...secrets, ORDERS_SECRET, ORDERS_BASIC, 'jane@acme.test']
    expect(never.filter((one) => sent.includes(one))).toEqual([])
  })

  it('writes the trace into the log lines of a request', () => {
    const lines = readFileSync(traced.acme.logPath, 'utf8').trim().split('\n')
    const messages = lines
      .map((line) => JSON.parse(line))
      .filter(({ trace_id }) => trace_id === traces.mismatch)
      .map(({ msg }) => msg)
    expect(messages).toEqual(['token request refused', 'request'])
  })
})

describe('which requests are traced', () => {
  it('their caller decides, and for those without a caller the ratio', async () => {
    const { acme, collector } = await start(0)
    const traceId = newTraceId()
    await exchange(acme, acme.janePat, {})
    await exchange(acme, acme.janePat, inTrace(newTraceId(), '00'))
    await exchange(acme, acme.janePat, { traceparent: 'not a traceparent' })
    await exchange(acme, acme.janePat, inTrace(traceId))
    await acme.stop()
    expect(collector.spans()).toHaveLength(8)
    expect(new Set(collector.spans().map((span) => span.traceId))).toEqual(new Set([traceId]))
  })
})

describe('a collector', () => {
  it('that refuses loses its spans; exchanges go on, and it is told once that it fails', async () => {
    const { acme, collector, changes } = await start()
    collector.answerWith(400)
    for (let round = 0; round < 3; round += 1)
      expect((await exchange(acme, acme.janePat, {})).status).toBe(200)
    await acme.stop()
    expect(collector.spans()).toEqual([])
    expect(changes).toHaveLength(1)
    expect(changes[0]).toBeInstanceOf(Error)
  })

  it('that hangs delays neither an exchange nor, for long, a stop', async () => {
    const { acme, collector } = await start()
    collector.answerWith(null)
    expect((await exchange(acme, acme.janePat, {})).status).toBe(200)
    const stoppedAt = performance.now()
    await acme.stop()
    expect(performance.now() - stoppedAt).toBeLessThan(6000)
  })

  it('that is not there costs nothing but its spans', async () => {
    const gone = await startTraceCollector()
    gone.close()
    const acme = await startAcme({}, await openTracing(gone.url))
    expect((await exchange(acme, acme.janePat, {})).status).toBe(200)
    await acme.stop()
  })
})
