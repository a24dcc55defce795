// References to a status that lead elsewhere, or nowhere (draft-ietf-oauth-status-list-21 sections 6.2 and 11): signed by
// the issuer, like all that stands in claims.

import { CLAIMS, ISSUER, LIST_URI, signToken } from '../issuer-fixture.ts'
import { type Forgery, forgeEach } from './forgery.ts'

const URIS: unknown[] = [
  'https://evil.example/oauth2/status-lists/0',
  'http://169.254.169.254/latest/meta-data',
  'file:///etc/passwd',
  '/oauth2/status-lists/0',
  LIST_URI.replace('https', 'http'),
  LIST_URI.replace('patmint', 'PATMINT'),
  LIST_URI.replace(ISSUER, `${ISSUER}@evil.example`),
  LIST_URI.replace(ISSUER, `${ISSUER}.evil.example`),
  `${LIST_URI}/`,
  `${LIST_URI}/..`,
  `${LIST_URI}/../../../uploads/list`,
  `${LIST_URI}?list=1`,
  `${LIST_URI}#1`,
  `${LIST_URI}\u0000`,
  `${LIST_URI} `,
  `${LIST_URI}0`.replace('/00', '/00000000000'),
  LIST_URI.replace(/0$/, '00'),
  LIST_URI.replace(/0$/, '-1'),
  LIST_URI.replace(/0$/, '1e3'),
  LIST_URI.replace(/0$/, '%30'),
  LIST_URI.replace(/0$/, '..%2f0'),
  LIST_URI.replace(/0$/, '٠'),
  LIST_URI.replace(/\/0$/, ''),
  '',
  7,
  null,
  [LIST_URI],
  {},
]

const INDEXES: unknown[] = [undefined, null, -1, 0.5, '7', true, [7], {}, 2 ** 53, 1e300]
const STATUSES: unknown[] = [
  null,
  7,
  'valid',
  [],
  {},
  { status_list: null },
  { status_list: [] },
  { other: {} },
]

const refer = (reference: object): Promise<string> =>
  signToken({ ...CLAIMS, status: { status_list: { ...CLAIMS.status.status_list, ...reference } } })

const name = (what: string, values: readonly unknown[]): Record<string, unknown> =>
  Object.fromEntries(values.map((value) => [`${what} ${JSON.stringify(value)}`, value]))

export const STATUSES_OF_TOKENS: Forgery[] = [
  ...(await forgeEach('claim_invalid', name('list', URIS), (uri) => refer({ uri }))),
  ...(await forgeEach('claim_invalid', name('index', INDEXES), (idx) => refer({ idx }))),
  ...(await forgeEach('claim_invalid', name('status', STATUSES), (status) =>
    signToken({ ...CLAIMS, status }),
  )),
  ['no status', 'claim_missing', await signToken({ ...CLAIMS, status: undefined })],
]
