import { access, constants } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { locateBinaries } from '../../../../../src/server/db/embedded/binaries.ts'

const ADVICE = expect.stringContaining('set PATMINT_DATABASE_URL')

describe('locating the Postgres programs', () => {
  it('finds executable programs for this machine', async () => {
    const { initdb, postgres } = await locateBinaries()
    for (const program of [initdb, postgres]) await access(program, constants.X_OK)
  })

  it('advises an own Postgres where the package is not installed', async () => {
    await expect(locateBinaries({ platform: 'linux', arch: 'vax' })).rejects.toMatchObject({
      code: 'binaries_missing',
      message: ADVICE,
    })
  })

  it.each(['win32', 'freebsd'])('advises an own Postgres on %s', async (platform) => {
    await expect(locateBinaries({ platform, arch: 'x64' })).rejects.toMatchObject({
      code: 'platform_unsupported',
      message: ADVICE,
    })
  })
})
