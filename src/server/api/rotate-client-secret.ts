// A client's secret is replaced by a new one, which this answer alone shows, and works on for as long as they overlap.

import { z } from 'zod'
import { generateClientSecret } from '../directory/client-secret.ts'
import { overlapEndOf, replaceSecretHash } from '../directory/client-secret-change.ts'
import { type StoredClient, updateClient } from '../directory/client-store.ts'
import { clientId } from '../directory/schema.ts'
import { toInvalidRequest } from '../http/guard.ts'
import { Problem } from '../http/problem.ts'
import { rotateSecretBody } from './client-body.ts'
import { newClientView, viewClient } from './client-view.ts'
import { CHANGING_CLIENTS, holdClient, targetOfClient } from './hold-client.ts'
import { operation } from './operation.ts'
import { requirePlatformWide } from './reach.ts'

export const rotateClientSecret = operation({
  id: 'rotateClientSecret',
  method: 'post',
  path: '/clients/{client_id}/rotate-secret',
  tag: 'Clients',
  summary: 'Rotate the secret of a client',
  description:
    'Takes platform-wide rights. The new secret is shown once, in this answer, and works at once; the old one works on ' +
    'for `overlap_seconds`. While a secret before the current one still works, only a rotation without overlap is ' +
    'possible, which ends both.',
  access: 'clients:write',
  params: z.object({ client_id: clientId }),
  body: rotateSecretBody,
  answer: { status: 200, description: 'The client and its new secret', schema: newClientView },
  problems: ['built_in', 'already_rotated', 'precondition_failed'],
  handle: (call, { change, hashClientSecret }) => {
    const { caller, body, now, origin } = call
    requirePlatformWide(caller, CHANGING_CLIENTS)
    const secret = generateClientSecret()
    return change(origin, async ({ transaction, record }) => {
      const client = await holdClient(transaction, call)
      const replaced = requireSecret(client)
      const { overlap_seconds: overlapSeconds } = body
      if (overlapSeconds > 0 && overlapEndOf(client, now))
        throw new Problem('already_rotated', 'The secret before the current one still works')
      const hashes = replaceSecretHash(replaced, hashClientSecret(secret), overlapSeconds, now)
      const rotated = { ...client, ...hashes }
      await updateClient(transaction, client.clientId, rotated)
      const detail = { overlap_seconds: overlapSeconds }
      record({ type: 'client.secret_rotated', target: targetOfClient(client), detail })
      return { ...viewClient(rotated, now), client_secret: secret }
    })
  },
})

function requireSecret({ secretHash }: StoredClient): string {
  if (secretHash !== null) return secretHash
  throw toInvalidRequest([{ path: [], message: 'The client has no secret' }])
}
