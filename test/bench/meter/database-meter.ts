// What Postgres did: its CPU time, and its transactions. A read is a transaction that wrote nothing; a write
// transaction is one that was given a transaction id, which Postgres does at the first row it writes.
//
// Ids are handed out one after the other, so write transactions are counted exactly. All transactions come from
// pg_stat_database, to which a busy connection reports once a second: read at both ends of a measurement under way,
// the count is off by at most what happens in one second. (pg_stat_statements would be exact, but costs CPU in the
// very place that is measured, and is not everywhere.)

import pg from 'pg'
import { readProcess, readProcessTree } from './process-tree.ts'

export interface DatabaseReading {
  readonly cpuMs: number
  readonly transactions: number
  readonly writeTransactions: number
}

export interface DatabaseMeter {
  read(): Promise<DatabaseReading>
  close(): Promise<void>
}

const TRANSACTIONS = `
  select (xact_commit + xact_rollback)::float8 as transactions,
    pg_snapshot_xmax(pg_current_snapshot())::text::float8 as write_transactions
  from pg_stat_database where datname = current_database()`

/** Watches a database that runs on this machine. Throws when it runs elsewhere. */
export async function openDatabaseMeter(url: string): Promise<DatabaseMeter> {
  const client = new pg.Client({ connectionString: url, application_name: 'patmint-bench' })
  await client.connect()
  const postmasterPid = await findPostmaster(client)
  return {
    async read() {
      const { rows } = await client.query<{ transactions: number; write_transactions: number }>(TRANSACTIONS)
      const [
        { transactions, write_transactions: writeTransactions } = { transactions: 0, write_transactions: 0 },
      ] = rows
      return { cpuMs: readProcessTree(postmasterPid).cpuMs, transactions, writeTransactions }
    },
    close: () => client.end(),
  }
}

/** The parent of every Postgres process of the cluster. */
async function findPostmaster(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  const backend = readProcess(rows[0]?.pid ?? 0)
  // A number from another machine names nothing here, or something else.
  if (backend?.name !== 'postgres')
    throw new Error('the benchmark reads the CPU time of Postgres, which must run on this machine')
  return backend.parentPid
}
