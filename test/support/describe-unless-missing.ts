// Tests that need programs which not every machine has. Where one is missing they are skipped, and say why.

import { describe } from 'vitest'

/** `missing` names the packages to install. */
export function describeUnlessMissing(name: string, missing: readonly string[], body: () => void): void {
  if (missing.length > 0) process.stderr.write(`${name} is not tested: install ${missing.join(', ')}\n`)
  describe.skipIf(missing.length > 0)(name, body)
}
