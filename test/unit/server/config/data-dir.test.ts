import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  loadOrCreateSecretKey,
  prepareDataDir,
  writeSecretFile,
} from '../../../../src/server/config/data-dir.ts'
import { canary } from '../../../support/evidence.ts'
import { newSecretKey } from '../../../support/server-process.ts'
import { newFolder } from './config-fixture.ts'

const run = promisify(execFile)
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

function loadKey(dataDir: string): string {
  const [key, ...others] = loadOrCreateSecretKey(dataDir)
  expect([key.length, others]).toEqual([32, []])
  return canary(key.toString('base64url'))
}

describe('the data folder', () => {
  it('is made with everything above it, for its owner alone', () => {
    const dataDir = join(newFolder(), 'a', 'b')
    prepareDataDir(dataDir)
    expect(modeOf(dataDir)).toBe('700')
  })

  it('is closed to others when it was open', () => {
    const dataDir = join(newFolder(), 'open')
    mkdirSync(dataDir)
    chmodSync(dataDir, 0o755)
    prepareDataDir(dataDir)
    expect(modeOf(dataDir)).toBe('700')
  })
})

describe('a secret file', () => {
  it('is for its owner alone and holds one line', () => {
    const dataDir = join(newFolder(), 'data')
    const path = writeSecretFile(dataDir, 'bootstrap-token', 'one')
    expect([path, modeOf(path), modeOf(dataDir)]).toEqual([join(dataDir, 'bootstrap-token'), '600', '700'])
    expect(readFileSync(path, 'utf8')).toBe('one\n')
  })

  it('replaces what was there, also where others could read that', () => {
    const dataDir = newFolder()
    const path = join(dataDir, 'bootstrap-token')
    writeFileSync(path, 'something longer\n')
    chmodSync(path, 0o644)
    writeSecretFile(dataDir, 'bootstrap-token', 'two')
    expect([modeOf(path), readFileSync(path, 'utf8')]).toEqual(['600', 'two\n'])
  })
})

describe('the secret key of a data folder', () => {
  it('is made once and kept', () => {
    const dataDir = join(newFolder(), 'data')
    const key = loadKey(dataDir)
    expect(loadKey(dataDir)).toBe(key)
    expect(readFileSync(join(dataDir, 'secret-key'), 'utf8')).toBe(`${key}\n`)
    expect(readdirSync(dataDir)).toEqual(['secret-key'])
    expect(loadKey(newFolder())).not.toBe(key)
  })

  it('is for its owner alone, also when it was brought along otherwise', () => {
    const dataDir = newFolder()
    const key = newSecretKey()
    writeFileSync(join(dataDir, 'secret-key'), key)
    chmodSync(join(dataDir, 'secret-key'), 0o644)
    expect(loadKey(dataDir)).toBe(key)
    expect([modeOf(dataDir), modeOf(join(dataDir, 'secret-key'))]).toEqual(['700', '600'])
  })

  it('that is cut short is refused and neither replaced nor told', () => {
    const dataDir = newFolder()
    const path = join(dataDir, 'secret-key')
    const half = newSecretKey().slice(0, 20)
    writeFileSync(path, half)
    expect(() => loadOrCreateSecretKey(dataDir)).toThrow(
      new Error(`${path} does not hold 32 bytes in base64url`),
    )
    expect(readFileSync(path, 'utf8')).toBe(half)
  })

  it('is one for processes that start at the same time', async () => {
    const dataDir = join(newFolder(), 'data')
    const script = `
      import { loadOrCreateSecretKey } from './src/server/config/data-dir.ts'
      // All wait for the same instant, so that they meet.
      while (Date.now() < ${Date.now() + 1500});
      console.log(loadOrCreateSecretKey(process.argv[1])[0].toString('base64url'))`
    const args = ['--input-type=module', '--eval', script, dataDir]
    const results = await Promise.all([1, 2, 3, 4].map(() => run(process.execPath, args)))
    const key = canary(readFileSync(join(dataDir, 'secret-key'), 'utf8').trim())
    expect(results.map(({ stdout }) => stdout)).toEqual([1, 2, 3, 4].map(() => `${key}\n`))
    expect(readdirSync(dataDir)).toEqual(['secret-key'])
  })
})
