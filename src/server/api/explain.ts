import type { Operation } from './operation.ts'

export const explainOperations: readonly Operation[] = []
