// `npm run bench`: what an exchange costs, against a bare server that only signs. The report goes to stdout, progress
// to stderr. Exit codes: 0 every answer was right (whatever the figures), 1 some were wrong or it failed, 2 usage.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readOptions } from './options.ts'
import { renderReport } from './report/render.ts'
import { runBench } from './run.ts'

const options = readOptions(process.argv.slice(2), process.env)
const say = (text: string): void => void process.stderr.write(`${text}\n`)

const stack = new AsyncDisposableStack()
const dir = mkdtempSync(join(tmpdir(), 'patmint-bench-'))
stack.defer(() => rmSync(dir, { recursive: true, force: true }))
// Ctrl-C reaches the servers by itself, but not the Postgres the benchmark started.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stack.disposeAsync().finally(() => process.exit(1)))

try {
  const report = await runBench(stack, options, dir, say)
  process.stdout.write(`${options.isJson ? JSON.stringify(report, null, 2) : renderReport(report)}\n`)
  process.exitCode = report.failures === 0 ? 0 : 1
} finally {
  await stack.disposeAsync()
}
