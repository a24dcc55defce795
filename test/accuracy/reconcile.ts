// What the clients heard, held against the audit records: each way round, nothing may be left over.

import pg from 'pg'
import type { Hearsay } from './exchanges.ts'

export interface Difference {
  /** Answers of which there is no record. */
  readonly unrecorded: string[]
  /** Records of which there was no such answer. */
  readonly unheard: string[]
}

interface Row {
  readonly request_id: string
  readonly token_id: string | null
}

const PAGE = 20_000

/** Compares, and takes the outcomes out one by one. Of what was unavailable there may be a record, or none. */
export async function reconcile(
  databaseUrl: string,
  { outcomes, unavailable }: Pick<Hearsay, 'outcomes' | 'unavailable'>,
): Promise<Difference> {
  const unheard: string[] = []
  for await (const { request_id: requestId, token_id: tokenId } of readRecords(databaseUrl)) {
    if (outcomes.get(requestId) === tokenId) outcomes.delete(requestId)
    else if (!unavailable.has(requestId)) unheard.push(requestId)
  }
  return { unrecorded: [...outcomes.keys()], unheard }
}

async function* readRecords(databaseUrl: string): AsyncGenerator<Row> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(`begin; declare records no scroll cursor for
      select request_id, token_id from audit_events where type in ('exchange.granted', 'exchange.refused')`)
    for (;;) {
      const { rows } = await client.query<Row>(`fetch ${PAGE} from records`)
      if (rows.length === 0) return
      yield* rows
    }
  } finally {
    await client.end()
  }
}
