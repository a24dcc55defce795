// `…/policy/preview` and `…/policy/versions/{number}/preview`: what a policy would stop, before anybody makes or
// restores it.

import { z } from 'zod'
import { inheritStart } from '../policy/policy.ts'
import { findPolicies } from '../policy/store.ts'
import { type Operation, operation } from './operation.ts'
import { type PolicyFields, policyBodyOf, toTerms } from './policy-body.ts'
import { onBothLevels, type PolicyPlace } from './policy-place.ts'
import { answerPreview, type ChoosePolicy, writePreview } from './policy-preview-answer.ts'
import { previewView } from './policy-preview-view.ts'
import { chooseVersion, versionNumber } from './policy-version.ts'

/** An empty text is no number; to JavaScript it is 0. */
const limit = z.preprocess(
  (text) => (text === '' ? Number.NaN : text),
  z.coerce.number().int().min(0).max(200).default(50).describe('Items to show; CSV has all'),
)

const common = {
  access: 'policy:read',
  query: z.strictObject({ limit }),
  answer: { status: 200, description: 'What it would stop', schema: previewView },
} as const

const COUNTED =
  'Of the credentials that work now, those that it would end, no later than what stays in force beside it does: how ' +
  'many, and which. Changes nothing. With `Accept: text/csv`: all of them, as a table.'

const preview = ({ level, noun, owner, path, params }: PolicyPlace): Operation => {
  const choose =
    (body: PolicyFields, now: Date): ChoosePolicy =>
    async (reader, { organizationId }) =>
      inheritStart((await findPolicies(reader, organizationId))[level], toTerms(body), now)
  return operation({
    ...common,
    id: `preview${noun}`,
    method: 'post',
    path: `${path}/preview`,
    tag: 'Policies',
    summary: `Preview an expiry policy of ${owner}`,
    description: COUNTED,
    ...params(),
    body: policyBodyOf(level),
    handle: (call, dependencies) => answerPreview(call, choose(call.body, call.now), dependencies),
    handleCsv: (call, dependencies) => writePreview(call, choose(call.body, call.now), dependencies),
  })
}

const previewVersion = ({ noun, owner, path, params }: PolicyPlace): Operation =>
  operation({
    ...common,
    id: `preview${noun}Version`,
    method: 'post',
    path: `${path}/versions/{number}/preview`,
    tag: 'Policies',
    summary: `Preview a version of the expiry policy of ${owner}`,
    description: `What restoring it would do, \`applies_since\` included. ${COUNTED}`,
    ...params({ number: versionNumber }),
    problems: ['not_found'],
    handle: (call, dependencies) => answerPreview(call, chooseVersion(call.params), dependencies),
    handleCsv: (call, dependencies) => writePreview(call, chooseVersion(call.params), dependencies),
  })

export const policyPreviewOperations = onBothLevels((place) => [preview(place), previewVersion(place)])
