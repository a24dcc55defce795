// One connection for as long as a task takes.

import pg from 'pg'

export async function withClient<T>(url: string, task: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'patmint-bench' })
  await client.connect()
  try {
    return await task(client)
  } finally {
    await client.end()
  }
}
