import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  ensurePassword,
  nameScratch,
  openDataFolder,
  readPassword,
  sweepLeftovers,
} from '../../../../../src/server/db/embedded/data-folder.ts'

async function makeDataFolder() {
  const path = await mkdtemp(join(tmpdir(), 'patmint-data-folder-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return openDataFolder(path)
}

describe('the data folder', () => {
  it('is made private to its owner', async () => {
    const { path } = await makeDataFolder()
    const made = await openDataFolder(join(path, 'deeper', 'down'))
    expect((await stat(made.path)).mode & 0o777).toBe(0o700)
  })

  it('gets one password from many that write it at once, in a file for its owner alone', async () => {
    const folder = await makeDataFolder()
    const writeAndRead = async () => {
      await ensurePassword(folder)
      return readPassword(folder)
    }
    const passwords = await Promise.all(Array.from({ length: 20 }, writeAndRead))
    expect(new Set(passwords).size).toBe(1)
    expect(passwords[0]).toMatch(/^[\w-]{43}$/)
    expect((await stat(folder.passwordFile)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder.path)).toEqual(['postgres-password'])
  })

  it('refuses to go on without the password', async () => {
    await expect(readPassword(await makeDataFolder())).rejects.toMatchObject({ code: 'cluster_unusable' })
  })

  it('is swept of scratch names and of nothing else', async () => {
    const folder = await makeDataFolder()
    const kept = ['bootstrap-token', 'postgres', 'postgres.log', 'postgres.new', 'postgres.new-backup']
    for (const name of kept) await writeFile(join(folder.path, name), '')
    await writeFile(nameScratch(folder.passwordFile), '')
    await mkdir(join(nameScratch(folder.cluster), 'cluster', 'base'), { recursive: true })
    await sweepLeftovers(folder)
    expect((await readdir(folder.path)).sort()).toEqual(kept)
  })
})
