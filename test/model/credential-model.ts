// What should be, in a few dozen lines: credentials of one user in one organization, as the contract (sections 3 and 4)
// and decisions 0023 and 0024 tell it. Nothing of the server's own code is used here.

export type RoleName = 'analyst' | 'engineer' | 'member' | 'custom'

export interface ModelCredential {
  /** Index of the user who owns it: a new user of the same e-mail address is another one. */
  readonly owner: number
  readonly createdAt: number
  readonly expiresAt: number | null
  /** Its permissions when it was narrowed at creation; null for all of the role. */
  readonly scopes: readonly string[] | null
  readonly replaces: ModelCredential | null
  name: string
  isRevoked: boolean
  overlapUntil: number | null
}

/** All times are seconds since the start of the sequence. */
export interface Model {
  now: number
  /** Index of the user there is now. */
  user: number
  isUserThere: boolean
  isSuspended: boolean
  /** The role; null for a member without one, undefined for no member. */
  role: RoleName | null | undefined
  isCustomRoleThere: boolean
  customScopes: readonly string[]
  readonly credentials: ModelCredential[]
}

export const newModel = (): Model => ({
  now: 0,
  user: 0,
  isUserThere: true,
  isSuspended: false,
  role: 'analyst',
  isCustomRoleThere: true,
  customScopes: ['models:write'],
  credentials: [],
})

/** Few enough to be met: the sequences run under a policy that says so. */
export const MAX_ACTIVE = 3
const TTL = 300

/** What a role gives at the resource server. */
export function scopesOf(model: Model, role: RoleName | null | undefined): readonly string[] {
  if (role === 'analyst') return ['datasets:read', 'models:read']
  if (role === 'engineer') return ['datasets:read', 'models:read', 'models:write']
  return role === 'custom' ? model.customScopes : []
}

/** Whether it has ended for good, and how that is shown. */
function endOf(model: Model, credential: ModelCredential): 'revoked' | 'expired' | null {
  if (credential.isRevoked) return 'revoked'
  if (credential.overlapUntil !== null && credential.overlapUntil <= model.now) return 'revoked'
  return credential.expiresAt !== null && credential.expiresAt <= model.now ? 'expired' : null
}

export const isAlive = (model: Model, credential: ModelCredential): boolean =>
  endOf(model, credential) === null

export function statusOf(model: Model, credential: ModelCredential): string {
  const hasRights = !model.isSuspended && model.role !== null && model.role !== undefined
  return endOf(model, credential) ?? (hasRights ? 'active' : 'suspended')
}

export const works = (model: Model, credential: ModelCredential): boolean =>
  statusOf(model, credential) === 'active'

export type Outcome =
  | { readonly scope: string; readonly expires_in: number }
  | { readonly error: 'invalid_request' | 'invalid_target' }

/** What an exchange for the resource server, without naming scopes, yields. */
export function exchangeOf(model: Model, credential: ModelCredential): Outcome {
  if (!works(model, credential)) return { error: 'invalid_request' }
  const held = scopesOf(model, model.role)
  const scopes = held.filter((scope) => credential.scopes?.includes(scope) ?? true)
  if (scopes.length === 0) return { error: 'invalid_target' }
  const ends = [credential.expiresAt, credential.overlapUntil].filter((end) => end !== null)
  return { scope: scopes.join(' '), expires_in: Math.min(TTL, ...ends.map((end) => end - model.now)) }
}

/** Those that count against the limit and whose names are taken: a successor takes its predecessor's place. */
export function listCounted(model: Model): ModelCredential[] {
  const alive = model.credentials.filter((one) => one.owner === model.user && isAlive(model, one))
  return alive.filter((one) => !alive.some(({ replaces }) => replaces === one))
}

/** Whether another of the owner's has this name. */
export const isNameTaken = (model: Model, name: string, except: ModelCredential | null): boolean =>
  listCounted(model).some((one) => one !== except && one.name === name)
