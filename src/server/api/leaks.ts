// `/leaks`: where secret scanners report what they found. Nobody signs in for it, so each client may report so much
// and no more.

import { z } from 'zod'
import { humanName } from '../directory/schema.ts'
import { tooManyRequests } from '../http/problem.ts'
import { REPORTED_CREDENTIALS, REPORTS } from './leak-limits.ts'
import { operation } from './operation.ts'
import { revokeExposed } from './revoke-exposed.ts'

const MOST_CREDENTIALS = 1000
/** As many as a report may hold, each of 100 characters. */
const BODY_LIMIT = '128kb'

const reportBody = z.strictObject({
  credentials: z
    .array(z.string().max(100))
    .min(1)
    .max(MOST_CREDENTIALS)
    .describe('What was found, as it was found'),
  source: humanName(200).optional().describe('Where; stands in the audit records'),
})

const reportView = z
  .strictObject({
    revoked: z.int().describe('Credentials this report revoked'),
    results: z
      .array(
        z.strictObject({
          prefix: z.string().nullable().describe('The first 10 characters; null when malformed'),
          status: z
            .enum(['revoked', 'already_revoked', 'unknown', 'malformed'])
            .describe('`malformed`: fails the checksum or the form. A wrong secret is `unknown`'),
        }),
      )
      .describe('One for each credential of the report, in its order'),
  })
  .meta({ id: 'LeakResult' })

const report = operation({
  id: 'reportLeaks',
  method: 'post',
  path: '/leaks',
  tag: 'Leaks',
  summary: 'Report leaked credentials',
  description:
    'For whoever finds credentials where they do not belong. Those that are real are revoked at once; their owners see ' +
    'the status detail `leaked`. Takes no authentication: the value is the proof. At most ' +
    `${REPORTS.points} reports and ${REPORTED_CREDENTIALS.points} credentials a minute for each address.`,
  access: 'public',
  body: reportBody,
  bodyLimit: BODY_LIMIT,
  answer: { status: 200, description: 'What became of each', schema: reportView },
  problems: ['too_many_requests'],
  admit: ({ ip }, { leakLimits }) => leakLimits.reports.take(ip),
  handle: async ({ body, origin }, dependencies) => {
    await dependencies.leakLimits.credentials.take(origin.ip, body.credentials.length)
    const { source } = body
    const why = { reason: 'leaked', detail: { via: 'leaks', ...(source === undefined ? {} : { source }) } }
    const exposed = await revokeExposed(body.credentials, origin, why, dependencies)
    if (!exposed.ok) throw tooManyRequests(exposed.error.retryAfterSeconds)
    const results = exposed.value
    return { revoked: results.filter(({ status }) => status === 'revoked').length, results }
  },
})

export const leakOperations = [report]
