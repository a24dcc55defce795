import { expect, it } from 'vitest'
import { readVersion } from '../../../src/cli/read-version.ts'

it('reads the version of this package', () => {
  expect(readVersion()).toMatch(/^\d+\.\d+\.\d+/)
})
