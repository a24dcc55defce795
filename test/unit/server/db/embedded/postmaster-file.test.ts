import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  discardStaleFile,
  isPostmaster,
  sightPostmaster,
} from '../../../../../src/server/db/embedded/postmaster-file.ts'

async function makeCluster(content?: string): Promise<{ cluster: string; file: string }> {
  const cluster = await mkdtemp(join(tmpdir(), 'patmint-cluster-'))
  onTestFinished(() => rm(cluster, { recursive: true, force: true }))
  const file = join(cluster, 'postmaster.pid')
  if (content !== undefined) await writeFile(file, content)
  return { cluster, file }
}

const compose = (pid: number) => [pid, '/data/postgres', 1, 5432, '', '127.0.0.1', '', 'ready', ''].join('\n')
const deadPid = () => spawnSync('true').pid

describe('sighting a postmaster', () => {
  it('sees none without a lock file', async () => {
    expect(await sightPostmaster((await makeCluster()).cluster)).toEqual({ state: 'none' })
  })

  it('leaves the lock file of a dead process to Postgres', async () => {
    const { cluster } = await makeCluster(compose(deadPid()))
    expect(await sightPostmaster(cluster)).toEqual({ state: 'none' })
  })

  it('calls the lock file of a living process stale when that is no Postgres', async () => {
    const content = compose(process.pid)
    const { cluster } = await makeCluster(content)
    expect(await sightPostmaster(cluster)).toEqual({ state: 'stale', content })
    expect(await isPostmaster(process.pid, cluster)).toBe(false)
  })

  it.each(['', '4711', '4711\n/data/postgres\n1\n'])(
    'gives a half-written file (%j) time to be completed',
    async (content) => {
      const { cluster, file } = await makeCluster(content)
      expect(await sightPostmaster(cluster)).toEqual({ state: 'none' })
      const longAgo = new Date(Date.now() - 60_000)
      await utimes(file, longAgo, longAgo)
      expect(await sightPostmaster(cluster)).toEqual({ state: 'stale', content })
    },
  )
})

describe('discarding a stale lock file', () => {
  it('removes the file that was judged', async () => {
    const { cluster } = await makeCluster('judged')
    await discardStaleFile(cluster, 'judged')
    expect(await readdir(cluster)).toEqual([])
  })

  it('puts back a file that a postmaster wrote meanwhile', async () => {
    const { cluster, file } = await makeCluster('fresh')
    await discardStaleFile(cluster, 'judged')
    expect(await readFile(file, 'utf8')).toBe('fresh')
    expect(await readdir(cluster)).toEqual(['postmaster.pid'])
  })

  it('is content when the file is gone already', async () => {
    const { cluster } = await makeCluster()
    await discardStaleFile(cluster, 'judged')
    expect(await readdir(cluster)).toEqual([])
  })
})
