// What docs/verify.md says of starting without network, run as it stands.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBlocks, runCommand } from '../../support/document.ts'

const [, SNIPPET = ''] = readBlocks('docs/verify.md', 'js')

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patmint-snapshot-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Starts a service at a file, and has it keep what it knows. */
const start = (path: string): Promise<string> =>
  runCommand(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createVerifier } from ${JSON.stringify(resolve('src/verify/index.ts'))}
       const [issuer, audience, path] = ['https://sts.example.com', 'https://api.example.com', ${JSON.stringify(path)}]
       ${SNIPPET}
       await persist(verifier.snapshot())
       console.log(JSON.stringify(await verifier.hydrate(snapshot)))`,
    ],
    {},
  )

describe('a service that keeps snapshots as the documentation says', () => {
  it.each<[string, string | undefined]>([
    ['no file', undefined],
    ['an empty file', ''],
    ['half a file', '{"version":1,"iss'],
  ])('starts with %s, and leaves a whole one', async (name, content) => {
    const path = join(folder, `${name}.json`)
    if (content !== undefined) await writeFile(path, content)
    expect(JSON.parse(await start(path))).toEqual({ keys: false, statusLists: 0 })
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ version: 1 })
    expect((await readdir(folder)).filter((file) => file.endsWith('.new'))).toEqual([])
  })
})
