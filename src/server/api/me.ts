import type { Operation } from './operation.ts'

export const meOperations: readonly Operation[] = []
