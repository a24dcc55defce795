import type { Operation } from './operation.ts'

export const keyOperations: readonly Operation[] = []
