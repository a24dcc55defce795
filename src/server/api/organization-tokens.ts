import type { Operation } from './operation.ts'

export const organizationTokenOperations: readonly Operation[] = []
