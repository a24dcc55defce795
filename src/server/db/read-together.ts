// Reads that belong together, as of one moment.

import type { Database, Queryable } from './database.ts'

export const createReadTogether =
  (db: Database) =>
  <T>(read: (reader: Queryable) => Promise<T>): Promise<T> =>
    db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(read)
