// Credentials that were made long ago, for a server whose clock is everybody's.

import { withClient } from '../../support/test-database.ts'

/** Makes a credential 20 days older, which is not near the 60 that Acme lets one lie idle; its end stays where it is. */
export const makeOlder = (databaseUrl: string, credential: string): Promise<unknown> =>
  withClient(databaseUrl, (client) =>
    client.query("update credentials set created_at = created_at - interval '20 days' where id = $1", [
      credential.slice(4, 20),
    ]),
  )
