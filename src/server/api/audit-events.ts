import type { Operation } from './operation.ts'

export const auditEventOperations: readonly Operation[] = []
