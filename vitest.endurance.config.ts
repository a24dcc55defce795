import { defineConfig } from 'vitest/config'

const project = (name: string) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], hookTimeout: 120_000 },
})

// What takes longer the more it is to show: `npm run test:crash`, `…:accuracy` and `…:timing`. Apart from the other tests,
// because each wants the machine for itself.
export default defineConfig({
  test: {
    globalSetup: 'test/support/test-cluster.ts',
    projects: [project('crash'), project('accuracy'), project('timing')],
  },
})
