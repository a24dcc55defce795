// The embedded Postgres when processes are killed, race each other, or left something behind.

import { once } from 'node:events'
import { cp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect } from 'vitest'
import {
  asSuperuser,
  endProcess,
  isAlive,
  it,
  pidFile,
  query,
  readPostmasterPid,
  type Workplace,
  waitUntil,
} from '../../support/embedded-postgres-workplace.ts'

const IN_USE = { code: 'data_dir_in_use' }
const WHOLE = ['postgres', 'postgres-password', 'postgres.log']
const DROP_OWNER = `pg_terminate_backend(pid) from pg_stat_activity where application_name = 'patmint owner'`

const hasLogged = ({ lines }: Workplace, part: string) => lines.some((line) => line.includes(part))

async function spawnEnded(workplace: Workplace): Promise<number | undefined> {
  const child = workplace.spawn('true')
  await once(child, 'exit')
  return child.pid
}

describe.concurrent('embedded Postgres after a crash', { timeout: 30_000 }, () => {
  it('takes over the database of a killed server, data intact', async ({ workplace }) => {
    const { child, url = '' } = await workplace.startServer()
    await query(url, 'create table kept as select 42 as answer')
    const pid = await readPostmasterPid(workplace.dataDir)
    await endProcess(child, 'SIGKILL')
    expect(isAlive(pid)).toBe(true)
    const next = await workplace.start()
    expect(next.url).toBe(url)
    expect(await readPostmasterPid(workplace.dataDir)).toBe(pid)
    expect(await query(next.url, 'select answer from kept')).toEqual([42])
    await next.stop()
    expect(isAlive(pid)).toBe(false)
  })

  it('refuses to take over a database that rejects the stored password', async ({ workplace }) => {
    const { child } = await workplace.startServer()
    await endProcess(child, 'SIGKILL')
    await writeFile(join(workplace.dataDir, 'postgres-password'), 'another')
    await expect(workplace.start()).rejects.toMatchObject({ code: 'cluster_unusable' })
    expect(isAlive(await readPostmasterPid(workplace.dataDir))).toBe(true)
  })

  it('recovers what a killed postmaster had committed', async ({ workplace }) => {
    const first = await workplace.start()
    await query(first.url, 'create table kept as select n from generate_series(1, 1000) as n')
    process.kill(await readPostmasterPid(workplace.dataDir), 'SIGKILL')
    const second = await workplace.start()
    expect(await query(second.url, 'select count(*)::int from kept')).toEqual([1000])
  })

  it('waits for a database that is still shutting down', async ({ workplace }) => {
    const first = await workplace.start()
    const [, second] = await Promise.all([first.stop(), workplace.start()])
    expect(await query(second.url, 'select 1')).toEqual([1])
  })

  it('sweeps away what a start killed during initdb has left, and starts afresh', async ({ workplace }) => {
    const { dataDir } = workplace
    const child = workplace.spawnServer()
    const findLeftover = async () => (await readdir(dataDir)).find((name) => name.startsWith('postgres.new-'))
    await waitUntil(async () => {
      const cluster = join(dataDir, (await findLeftover()) ?? '', 'cluster')
      return (await readdir(cluster).catch(() => [])).length > 3
    })
    await endProcess(child, 'SIGKILL')
    expect(await findLeftover()).toBeDefined()
    expect(await readdir(dataDir)).not.toContain('postgres')
    const { url } = await workplace.start()
    expect(await query(url, 'select 1')).toEqual([1])
    expect((await readdir(dataDir)).sort()).toEqual(WHOLE)
  })

  it('completes a start that was cut after initdb', async ({ workplace }) => {
    const first = await workplace.start()
    await query(asSuperuser(first.url), 'drop database patmint')
    await query(asSuperuser(first.url), 'drop role patmint')
    await first.stop()
    const { url } = await workplace.start()
    expect(await query(url, 'select current_user::text')).toEqual(['patmint'])
  })
})

describe.concurrent('embedded Postgres with a stale lock file', { timeout: 30_000 }, () => {
  it.for([
    ['of a dead process', spawnEnded],
    ['of an unrelated living process', async (workplace: Workplace) => workplace.spawn('sleep', ['60']).pid],
  ] as const)('starts in spite of one %s', async ([, choosePid], { workplace }) => {
    await (await workplace.start()).stop()
    const content = [
      await choosePid(workplace),
      join(workplace.dataDir, 'postgres'),
      1,
      5432,
      '',
      '127.0.0.1',
      '',
    ]
    await writeFile(pidFile(workplace.dataDir), `${content.join('\n')}\n`)
    const { url } = await workplace.start()
    expect(await query(url, 'select 1')).toEqual([1])
  })

  it('starts in spite of one that a power cut left empty', async ({ workplace }) => {
    await (await workplace.start()).stop()
    await writeFile(pidFile(workplace.dataDir), '')
    const { url } = await workplace.start()
    expect(await query(url, 'select 1')).toEqual([1])
  })

  it('starts beside the living database whose lock file was copied with the folder', async ({
    workplace,
  }) => {
    const other = await workplace.addFolder()
    await (await workplace.start()).stop()
    await (await workplace.start({ dataDir: other })).stop()
    const running = await workplace.start({ dataDir: other })
    await cp(pidFile(other), pidFile(workplace.dataDir))
    const { url } = await workplace.start()
    expect(new URL(url).port).not.toBe(new URL(running.url).port)
    expect(await query(running.url, 'select 1')).toEqual([1])
  })
})

describe.concurrent('ownership of the embedded Postgres', { timeout: 30_000 }, () => {
  it('goes to exactly one of three servers starting at once in an empty folder', async ({ workplace }) => {
    const outcomes = await Promise.all([1, 2, 3].map(() => workplace.startServer()))
    const codes = outcomes.map(({ code }) => code)
    expect(codes.sort()).toEqual(['data_dir_in_use', 'data_dir_in_use', undefined])
    const winner = outcomes.find(({ url }) => url)
    expect(await query(winner?.url ?? '', 'select 1')).toEqual([1])
    expect((await readdir(workplace.dataDir)).sort()).toEqual(WHOLE)
    const losers = outcomes.filter(({ code }) => code)
    await waitUntil(() => losers.every(({ child }) => child.exitCode === 0))
  })

  it('goes to exactly one of two servers starting a stopped database at once', async ({ workplace }) => {
    await (await workplace.start()).stop()
    const outcomes = await Promise.allSettled([workplace.start(), workplace.start()])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: IN_USE })
  })

  it('is regained when Postgres drops the connection, and still keeps others out', async ({ workplace }) => {
    const { url } = await workplace.start()
    expect(await query(asSuperuser(url), `select ${DROP_OWNER}`)).toEqual([true])
    await waitUntil(() => hasLogged(workplace, 'owner connection regained'))
    expect(hasLogged(workplace, 'owner connection lost')).toBe(true)
    await expect(workplace.start()).rejects.toMatchObject(IN_USE)
  })

  it('ends with a log line, not a crash, when Postgres dies', async ({ workplace }) => {
    const database = await workplace.start()
    process.kill(await readPostmasterPid(workplace.dataDir), 'SIGQUIT')
    await waitUntil(() => hasLogged(workplace, 'the database process has ended'))
    await database.stop()
  })

  it('once lost to another server, no longer lets the first stop the database', async ({ workplace }) => {
    const first = await workplace.start()
    const other = new Client({ connectionString: asSuperuser(first.url) })
    await other.connect()
    await other.query(`do $$ begin perform ${DROP_OWNER}; perform pg_advisory_lock(8693); end $$`)
    await waitUntil(() => hasLogged(workplace, 'another server has taken over'))
    await first.stop()
    expect((await other.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await other.end()
  })
})
