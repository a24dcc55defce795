// What the tests of credentials ask of one server again and again.

import { PresentedCredential } from '../../../src/protocol/credential.ts'
import type { Acme } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { type Answer, callApi } from '../../support/requests.ts'

export const idOf = (credential: string): string => credential.slice(4, 20)
export const pathOf = (credential: string): string => `/tokens/${idOf(credential)}`

/** A well-formed PAT of this id with a secret nobody has. */
export const forge = (id: string): string => new PresentedCredential('personal', id, '0'.repeat(40)).reveal()

export const forgeSecretOf = (pat: string): string => forge(idOf(pat))

/** A call whose answer may show a value once. */
export async function callForValue(
  url: string,
  token: string | undefined,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const answer = await callApi(url, token, 'POST', path, body)
  if (typeof answer.json['token'] === 'string') canary(answer.json['token'])
  return answer
}

/** Rotates a credential by its own value; gives the successor's. */
export async function rotateItself(
  { url }: Pick<Acme, 'url'>,
  credential: string,
  body = {},
): Promise<string> {
  const answer = await callForValue(url, credential, `${pathOf(credential)}/rotate`, body)
  if (answer.status !== 201) throw new Error(`not rotated: ${answer.text}`)
  return String(answer.json['token'])
}

/** What the audit trail says of a credential, oldest first. */
export const eventsOf = ({ db }: Pick<Acme, 'db'>, credentialId: string, type?: string) =>
  db
    .selectFrom('audit_events as e')
    .leftJoin('organizations as o', 'o.id', 'e.organization_id')
    .select(['e.type', 'e.reason', 'e.subject', 'e.actor', 'o.slug as organization', 'e.ip', 'e.detail'])
    .where('e.credential_id', '=', credentialId)
    .$if(type !== undefined, (query) => query.where('e.type', '=', type ?? ''))
    .orderBy('e.occurred_at')
    .orderBy('e.id')
    .execute()

export const rowOf = ({ db }: Pick<Acme, 'db'>, credentialId: string) =>
  db.selectFrom('credentials').selectAll().where('id', '=', credentialId).executeTakeFirstOrThrow()
