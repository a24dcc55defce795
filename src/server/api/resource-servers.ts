import type { Operation } from './operation.ts'

export const resourceServerOperations: readonly Operation[] = []
