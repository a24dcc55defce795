import type { Operation } from './operation.ts'

export const bulkRevocationOperations: readonly Operation[] = []
