// The embedded Postgres in everyday use: first start, restart, whom it lets in, what it hides, how it stops.

import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import {
  asSuperuser,
  endProcess,
  isAlive,
  it,
  pidFile,
  query,
  readPostmasterPid,
} from '../../support/embedded-postgres-workplace.ts'

const readMode = async (path: string) => (await stat(path)).mode & 0o777

/** The process and its children. */
const listFamily = (pid: number): number[] =>
  execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (child !== undefined && (child === pid || parent === pid) ? [child] : []))

describe.concurrent('embedded Postgres', { timeout: 30_000 }, () => {
  it('makes a database on the first start and keeps its data over a restart', async ({ workplace }) => {
    const dataDir = join(workplace.dataDir, 'made', 'on', 'demand')
    const first = await workplace.start({ dataDir })
    expect(first.url).toMatch(/^postgres:\/\/patmint:[\w-]{43}@127\.0\.0\.1:\d+\/patmint$/)
    expect(await readMode(dataDir)).toBe(0o700)
    await query(first.url, `create table kept as select 'Grüße'::text as word`)
    await first.stop()
    const second = await workplace.start({ dataDir })
    expect(await query(second.url, 'select word from kept')).toEqual(['Grüße'])
  })

  it('is durable, checksummed, UTF-8, off the machine locale, on loopback TCP alone', async ({
    workplace,
  }) => {
    const { url } = await workplace.start()
    const read = async (...names: string[]) =>
      query(asSuperuser(url), `select ${names.map((name) => `current_setting('${name}')`).join()}`)
    expect(await read('fsync', 'synchronous_commit', 'full_page_writes')).toEqual(['on', 'on', 'on'])
    expect(await read('data_checksums', 'server_encoding', 'timezone')).toEqual(['on', 'UTF8', 'UTC'])
    expect(await read('listen_addresses', 'unix_socket_directories')).toEqual(['127.0.0.1', ''])
    const locale = `select datlocprovider, datlocale, lower('Ä') from pg_database where datname = 'patmint'`
    expect(await query(url, locale)).toEqual(['b', 'C.UTF-8', 'ä'])
  })

  it('gives the server a role that owns its database and is no superuser', async ({ workplace }) => {
    const { url } = await workplace.start()
    const owner = `select datdba::regrole::text from pg_database where datname = current_database()`
    expect(await query(url, owner)).toEqual(['patmint'])
    expect(await query(url, `select current_user::text, current_setting('is_superuser')`)).toEqual([
      'patmint',
      'off',
    ])
    await query(url, 'create database another')
  })

  it('refuses a wrong password', async ({ workplace }) => {
    const { url } = await workplace.start()
    const wrong = url.replace(/:[\w-]{43}@/, ':wrong@')
    await expect(query(wrong, 'select 1')).rejects.toMatchObject({ code: '28P01' })
  })

  it('applies the settings it is given', async ({ workplace }) => {
    const { url } = await workplace.start({ flags: ['max_connections=17', 'work_mem=5MB'] })
    const sql = `select current_setting('max_connections'), current_setting('work_mem')`
    expect(await query(url, sql)).toEqual(['17', '5MB'])
  })

  it('keeps the password in one private file, out of arguments, environments and logs', async ({
    workplace,
  }) => {
    const { dataDir, lines } = workplace
    const { url } = await workplace.start()
    const { password } = new URL(url)
    await expect(query(asSuperuser(url), `select '${password}' from missing`)).rejects.toThrow()
    const shown = execFileSync('ps', ['axeww', '-o', 'args='], { encoding: 'utf8', maxBuffer: 1 << 26 })
    expect(shown).toContain('listen_addresses=127.0.0.1')
    expect(lines.join('\n')).toContain('ready on 127.0.0.1')
    const messages = await readFile(join(dataDir, 'postgres.log'), 'utf8')
    expect(messages).toContain('ready to accept connections')
    for (const place of [shown, lines.join('\n'), messages]) expect(place).not.toContain(password)
    expect(await readFile(join(dataDir, 'postgres-password'), 'utf8')).toBe(password)
    expect((await readdir(dataDir)).sort()).toEqual(['postgres', 'postgres-password', 'postgres.log'])
    expect(await readMode(join(dataDir, 'postgres-password'))).toBe(0o600)
    expect(await readMode(join(dataDir, 'postgres.log'))).toBe(0o600)
    expect(await readMode(join(dataDir, 'postgres'))).toBe(0o700)
  })

  it('leaves no process behind when stopped, however often', async ({ workplace }) => {
    const database = await workplace.start()
    const family = listFamily(await readPostmasterPid(workplace.dataDir))
    expect(family.length).toBeGreaterThan(3)
    await Promise.all([database.stop(), database.stop()])
    await database.stop()
    expect(family.filter(isAlive)).toEqual([])
    await expect(stat(pidFile(workplace.dataDir))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('lets the process of the server end by itself once stopped', async ({ workplace }) => {
    const { child, url } = await workplace.startServer()
    expect(url).toBeDefined()
    await endProcess(child, 'SIGTERM')
    expect([child.exitCode, child.signalCode]).toEqual([0, null])
  })

  it('runs in a session of its own, which a Ctrl-C in the terminal does not reach', async ({ workplace }) => {
    await workplace.start()
    const pid = await readPostmasterPid(workplace.dataDir)
    const readGroup = (of: number) =>
      execFileSync('ps', ['-o', 'pgid=', '-p', String(of)], { encoding: 'utf8' })
    expect(Number(readGroup(pid))).toBe(pid)
    expect(Number(readGroup(process.pid))).not.toBe(pid)
  })

  it('refuses a folder another server is using and leaves that server alone', async ({ workplace }) => {
    const first = await workplace.start()
    const pid = await readPostmasterPid(workplace.dataDir)
    await expect(workplace.start()).rejects.toMatchObject({
      code: 'data_dir_in_use',
      message: expect.stringContaining(`Another Patmint server is using ${workplace.dataDir}`),
    })
    expect(await query(first.url, 'select 1')).toEqual([1])
    expect(await readPostmasterPid(workplace.dataDir)).toBe(pid)
  })

  it('says in the words of Postgres why it does not start', async ({ workplace }) => {
    await expect(workplace.start({ flags: ['no_such_setting=1'] })).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining('unrecognized configuration parameter "no_such_setting"'),
    })
  })

  it('refuses a database whose password is gone', async ({ workplace }) => {
    await (await workplace.start()).stop()
    await rm(join(workplace.dataDir, 'postgres-password'))
    await expect(workplace.start()).rejects.toMatchObject({ code: 'cluster_unusable' })
  })

  it('refuses to put a database where something else is', async ({ workplace }) => {
    const letter = join(workplace.dataDir, 'postgres', 'letter.txt')
    await mkdir(join(workplace.dataDir, 'postgres'))
    await writeFile(letter, 'dear')
    await expect(workplace.start()).rejects.toMatchObject({ code: 'cluster_unusable' })
    expect(await readFile(letter, 'utf8')).toBe('dear')
  })
})
