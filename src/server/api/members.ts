import type { Operation } from './operation.ts'

export const memberOperations: readonly Operation[] = []
