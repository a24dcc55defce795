// The version of this package, from the one place that states it. Same relative path from src/ and from dist/.

import { readFileSync } from 'node:fs'

/** Version such as `0.1.0`. Throws when package.json is missing or states none. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    return String(manifest.version)
  throw new Error('package.json states no version')
}
