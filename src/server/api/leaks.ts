import type { Operation } from './operation.ts'

export const leakOperations: readonly Operation[] = []
