import { defineConfig } from 'vitest/config'

// What is shipped: the container image and the npm package. Apart from the other tests because it installs the
// dependencies several times over; run it with `npm run test:packaging`.
export default defineConfig({
  test: {
    globalSetup: 'test/support/test-cluster.ts',
    projects: [
      {
        test: {
          name: 'packaging',
          include: ['test/packaging/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
})
