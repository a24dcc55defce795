// The embedded Postgres under a server that runs as root, in folders nobody else may enter.

import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { platform } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect } from 'vitest'
import { locateBinaries } from '../../../src/server/db/embedded/binaries.ts'
import { createLauncher } from '../../../src/server/db/embedded/launcher.ts'
import { it, readPostmasterPid } from '../../support/embedded-postgres-workplace.ts'

const asRoot = process.geteuid?.() === 0 && platform() === 'linux'

describe.runIf(asRoot)('embedded Postgres under root', { timeout: 30_000 }, () => {
  it('runs as another account without any capability and loosens no permission', async ({ workplace }) => {
    const { dataDir } = workplace
    await workplace.start()
    const status = await readFile(`/proc/${await readPostmasterPid(dataDir)}/status`, 'utf8')
    expect(status).not.toMatch(/^[UG]id:.*\b0\b/m)
    expect(status).toMatch(/^CapEff:\s+0+$/m)
    expect(await stat(dataDir)).toMatchObject({ uid: 0, mode: 0o40700 })
    expect((await stat(join(dataDir, 'postgres'))).uid).toBeGreaterThan(0)
  })

  it('runs programs that account cannot reach', async ({ workplace }) => {
    const { initdb } = await locateBinaries()
    const native = join(workplace.dataDir, 'native')
    await cp(dirname(dirname(initdb)), native, { recursive: true, verbatimSymlinks: true })
    const launcher = await createLauncher(join(native, 'bin', 'postgres'), join(workplace.dataDir, 'none'))
    const cluster = join(workplace.dataDir, 'cluster')
    await mkdir(cluster, { mode: 0o700 })
    await launcher.handOver(cluster)
    await launcher.run(join(native, 'bin', 'initdb'), ['--no-sync', '--auth=trust'], cluster)
    expect(await readdir(cluster)).toContain('PG_VERSION')
  })
})
