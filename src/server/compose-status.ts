// Token status lists, put together: what the database says, signed by the ring.

import type { Config } from './config/config.ts'
import type { Database } from './db/database.ts'
import type { Logger } from './http/log.ts'
import type { KeyRing } from './signing/key-ring.ts'
import { StatusLists } from './status/status-lists.ts'
import { countStatusLists, findStopped } from './status/store.ts'

export interface StatusOptions {
  readonly config: Config
  readonly issuer: string
  readonly db: Database
  readonly keyRing: Pick<KeyRing, 'signStatusList' | 'stillPublishes'>
  readonly log: Logger
  readonly clock: () => Date
}

export const composeStatusLists = ({ config, issuer, db, keyRing, log, clock }: StatusOptions): StatusLists =>
  new StatusLists({
    ...config.statusLists,
    issuer,
    countLists: () => countStatusLists(db),
    findStopped: (list, now) => findStopped(db, list, now),
    sign: (claims, now) => keyRing.signStatusList(claims, now),
    isVerifiable: (token) => keyRing.stillPublishes(token),
    clock,
    onError: (error) => log.error({ err: error }, 'status list not renewed'),
  })
