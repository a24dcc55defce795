// The words an explanation is made of.

import type { Permission } from '../credential/standing.ts'

/** In the order in which an exchange goes through them. */
export const STEPS = [
  'request',
  'client',
  'credential',
  'organization',
  'owner',
  'role',
  'policy',
  'address',
  'actor',
  'permissions',
  'client_audiences',
  'resource_server',
  'audience',
  'scope',
  'expiry',
  'proof',
] as const
export type StepName = (typeof STEPS)[number]

export interface Step {
  readonly step: StepName
  readonly outcome: 'pass' | 'fail' | 'info'
  readonly detail: string
  /** The rights as they are at this step, where it says something of them. */
  readonly permissions?: readonly Permission[]
}

/** A list as a sentence has it. */
export const enumerate = (words: readonly string[]): string => words.map((word) => `"${word}"`).join(', ')
