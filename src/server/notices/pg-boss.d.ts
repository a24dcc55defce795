// A type that the declarations of pg-boss 12.38.0 refer to and do not ship. Nothing of ours uses it.

import type { ConstructorOptions } from 'pg-boss'

declare module 'pg-boss/dist/types.js' {
  export type ResolvedConstructorOptions = ConstructorOptions
}
