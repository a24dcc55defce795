// `npm run pack:verify`: packs `@patmint/verify`, the library alone with jose as its only dependency, from the sources
// that `patmint/verify` is built from. Arguments go to `npm pack`.

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describeVerifyPackage, type Manifest } from './verify-manifest.ts'

const REPOSITORY = resolve(import.meta.dirname, '../..')

/** Fills `stage` with what is shipped, and nothing else. */
function buildPackage(stage: string): void {
  const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc')
  const emit = ['--noEmit', 'false', '--outDir', join(stage, 'dist')]
  run(process.execPath, [tsc, '-p', join(REPOSITORY, 'src/verify'), ...emit])
  const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as Manifest
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(describeVerifyPackage(manifest), null, 2)}\n`)
  copyFileSync(join(REPOSITORY, 'LICENSE'), join(stage, 'LICENSE'))
  copyFileSync(join(REPOSITORY, 'src/verify/README.md'), join(stage, 'README.md'))
}

const run = (program: string, args: readonly string[]): void =>
  void execFileSync(program, args, { stdio: 'inherit' })

const stage = mkdtempSync(join(tmpdir(), 'patmint-verify-'))
try {
  buildPackage(stage)
  run('npm', ['pack', stage, ...process.argv.slice(2)])
} finally {
  rmSync(stage, { recursive: true, force: true })
}
