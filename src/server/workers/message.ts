// What the primary and a worker say to each other. Every message is tagged, so that others may use the same channel
// (metrics do): what bears no tag of ours is not for us.

export interface Address {
  readonly host: string
  readonly port: number
}

/** What the primary found out or made and a worker needs; everything else it reads from the configuration itself. */
export interface Assignment {
  readonly issuer: string
  /** With its password: handed over here, because command lines and environments can be read by others. */
  readonly databaseUrl: string
  readonly dataDir: string
}

/** From the primary. */
export type Order =
  | { readonly type: 'patmint:listen'; readonly address: Address }
  | { readonly type: 'patmint:compose'; readonly assignment: Assignment }
  | { readonly type: 'patmint:measure' }
  /** Leave without losing a request: another worker takes over. */
  | { readonly type: 'patmint:retire' }
  /** Leave as soon as what is in flight has been answered. */
  | { readonly type: 'patmint:stop' }

/** From a worker. */
export type Report =
  | { readonly type: 'patmint:attentive' }
  | { readonly type: 'patmint:listening'; readonly port: number }
  | { readonly type: 'patmint:composed' }
  /** Null: it could not say. */
  | { readonly type: 'patmint:measured'; readonly snapshot: unknown }
  | { readonly type: 'patmint:failed'; readonly reason: string }

type Types<Message extends Order | Report> = Readonly<Record<Message['type'], true>>

const ORDERS: Types<Order> = {
  'patmint:listen': true,
  'patmint:compose': true,
  'patmint:measure': true,
  'patmint:retire': true,
  'patmint:stop': true,
}
const REPORTS: Types<Report> = {
  'patmint:attentive': true,
  'patmint:listening': true,
  'patmint:composed': true,
  'patmint:measured': true,
  'patmint:failed': true,
}

function bearsTag(message: unknown, types: Readonly<Record<string, true>>): boolean {
  const { type } = (message ?? {}) as { type?: unknown }
  return typeof type === 'string' && Object.hasOwn(types, type)
}

export const isOrder = (message: unknown): message is Order => bearsTag(message, ORDERS)
export const isReport = (message: unknown): message is Report => bearsTag(message, REPORTS)
