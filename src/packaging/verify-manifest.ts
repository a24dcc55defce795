// What `@patmint/verify` says of itself, taken from what the whole package says: one version, one list of entry points.

/** The part of a package.json that is used. */
export interface Manifest {
  readonly version: string
  readonly license: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
}

const WITHIN = './verify'

/** The manifest of the library alone. The whole package pins jose; a library leaves its users one copy of it. */
export const describeVerifyPackage = ({ version, license, exports, dependencies }: Manifest) => ({
  name: '@patmint/verify',
  version,
  description: 'Verifies access tokens of Patmint offline: DPoP, status lists, scopes, middleware',
  license,
  type: 'module',
  sideEffects: false,
  engines: { node: '>=22' },
  exports: {
    ...Object.fromEntries(
      Object.entries(exports)
        .filter(([name]) => name === WITHIN || name.startsWith(`${WITHIN}/`))
        .map(([name, entry]) => [`.${name.slice(WITHIN.length)}`, entry]),
    ),
    './package.json': './package.json',
  },
  dependencies: { jose: `^${dependencies['jose']}` },
})
