// The software that asks for an exchange, as far as a decision depends on it.

import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'

/** The software that asks, already authenticated. */
export interface ExchangeClient {
  readonly clientId: string
  readonly mayExchange: boolean
  /** Null: every resource server. */
  readonly audiences: readonly string[] | null
}

/** A registered client as an exchange sees it. */
export const toExchangeClient = ({
  clientId,
  grantTypes,
  audiences,
}: {
  readonly clientId: string
  readonly grantTypes: readonly string[]
  readonly audiences: readonly string[] | null
}): ExchangeClient => ({ clientId, mayExchange: grantTypes.includes(TOKEN_EXCHANGE_GRANT), audiences })

/** Whether the client may ask for this audience. */
export const mayReach = (client: Pick<ExchangeClient, 'audiences'>, audience: string): boolean =>
  client.audiences?.includes(audience) ?? true
