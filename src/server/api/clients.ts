import type { Operation } from './operation.ts'

export const clientOperations: readonly Operation[] = []
