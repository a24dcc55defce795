import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

// Tests start the server a hundred times, and Node would read the same TypeScript anew each time.
process.env['NODE_COMPILE_CACHE'] ??= resolve('node_modules/.cache/node-compile')

const project = (name: string, groupOrder: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    sequence: { groupOrder },
    // Files of one project share the modules they import, which is a third of their time.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})

export default defineConfig({
  test: {
    // Much of a test is waiting for a server or for Postgres: a core less than there are would be idle.
    maxWorkers: Math.max(2, availableParallelism()),
    globalSetup: 'test/support/test-cluster.ts',
    // Groups run one after the other; the last one reads what the others left in databases and logs.
    projects: [
      project('unit', 0),
      project('integration', 1),
      project('conformance', 1),
      project('model', 1),
      project('secrecy', 2),
    ],
  },
})
