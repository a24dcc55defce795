// A server process reduced to its embedded Postgres, for tests that kill it or race several.
// Prints one JSON line, `{"url"}` or `{"code"}`; stops the database and ends on SIGTERM.

import {
  EmbeddedPostgresError,
  startEmbeddedPostgres,
} from '../../src/server/db/embedded/embedded-postgres.ts'

const print = (message: unknown) => process.stdout.write(`${JSON.stringify(message)}\n`)

try {
  const database = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? '', log: () => {} })
  const alive = setInterval(() => {}, 60_000)
  process.once('SIGTERM', async () => {
    await database.stop()
    clearInterval(alive)
  })
  print({ url: database.url })
} catch (error) {
  print({ code: error instanceof EmbeddedPostgresError ? error.code : String(error) })
}
