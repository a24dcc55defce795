// What the clients heard, held against the audit records: each way round, nothing may be left over.

import pg from 'pg'

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

/** Compares; `outcomes` are by request, the id of the token or null for a refusal, and are taken out one by one. */
export async function reconcile(
  databaseUrl: string,
  outcomes: Map<string, string | null>,
): Promise<Difference> {
  const unheard: string[] = []
  for await (const { request_id: requestId, token_id: tokenId } of readRecords(databaseUrl)) {
    if (outcomes.get(requestId) === tokenId) outcomes.delete(requestId)
    else unheard.push(requestId)
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
