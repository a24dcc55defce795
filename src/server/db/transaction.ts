// A transaction by a type of its own: what locks, or relies on a lock, must not be handed the whole database.

import type { Transaction as KyselyTransaction } from 'kysely'
import type { Tables } from './tables.ts'

export type Transaction = KyselyTransaction<Tables>
