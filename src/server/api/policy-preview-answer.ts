// The answer of a preview, as JSON or as CSV, whichever policy it is of.

import type { Reader } from '../ledger/change.ts'
import { assessImpact, findHits, packHitIds, stopsSoon } from '../policy/impact-store.ts'
import type { ExpiryPolicy } from '../policy/policy.ts'
import type { Caller } from './caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { requirePlace, type Whose } from './policy-place.ts'
import {
  CSV_HEADING,
  type HitView,
  maySeePeople,
  type PreviewView,
  toHitRow,
  viewCounts,
  viewHit,
} from './policy-preview-view.ts'

interface PreviewCall {
  readonly caller: Caller
  /** The path's. */
  readonly params: Readonly<Record<string, unknown>>
  readonly query: { readonly limit: number }
  readonly now: Date
}

/** The policy that is previewed. */
export type ChoosePolicy = (reader: Reader, whose: Whose) => Promise<ExpiryPolicy>

type PreviewDependencies = Pick<ApiDependencies, 'db' | 'readTogether'>

/** The counts, and as many of the most used as the query asks for. */
export async function answerPreview(
  { caller, params, query, now }: PreviewCall,
  choose: ChoosePolicy,
  { db, readTogether }: PreviewDependencies,
): Promise<PreviewView> {
  const whose = await requirePlace(db, caller, params)
  const { impact, hits, stopsCaller } = await readTogether(async (reader) => {
    const proposal = { organizationId: whose.organizationId, policy: await choose(reader, whose) }
    const found = await assessImpact(reader, proposal, now, query.limit)
    return { ...found, stopsCaller: await stopsSoon(reader, proposal, now, caller.standing.credential.id) }
  })
  const showsPeople = maySeePeople(caller)
  return {
    ...viewCounts(impact),
    stops_caller: stopsCaller,
    items: hits.map((hit) => viewHit(hit, whose.level, showsPeople)),
  }
}

/** All of them, as rows. */
export async function writePreview(
  { caller, params, now }: PreviewCall,
  choose: ChoosePolicy,
  { db, readTogether }: PreviewDependencies,
): Promise<AsyncIterable<string>> {
  const whose = await requirePlace(db, caller, params)
  const { proposal, ids } = await readTogether(async (reader) => {
    const proposal = { organizationId: whose.organizationId, policy: await choose(reader, whose) }
    return { proposal, ids: await packHitIds(reader, proposal, now) }
  })
  const showsPeople = maySeePeople(caller)
  return writeRows(ids, async (page) => {
    const hits = await findHits(db, proposal, now, page)
    return hits.map((hit) => viewHit(hit, whose.level, showsPeople))
  })
}

const ID_BYTES = 8
const PAGE = 1000

/** However many there are, and however slowly they are read: a page in memory at a time, and no transaction open. */
async function* writeRows(
  ids: Buffer,
  describe: (ids: readonly string[]) => Promise<HitView[]>,
): AsyncGenerator<string> {
  yield CSV_HEADING
  for (let start = 0; start < ids.length; start += PAGE * ID_BYTES) {
    const page = ids.toString('hex', start, Math.min(ids.length, start + PAGE * ID_BYTES))
    yield (await describe(page.match(/.{16}/g) ?? [])).map(toHitRow).join('')
  }
}
