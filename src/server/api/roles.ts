import type { Operation } from './operation.ts'

export const roleOperations: readonly Operation[] = []
