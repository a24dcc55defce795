// Where `patmint verify` gets the token from: the command line or stdin. Only a JWT may stand on a command line, for it
// ends in minutes; a credential does not, and every process of the machine can read it there.

import { holdsCredential } from '../../protocol/credential.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { formatMessage } from '../describe-failure.ts'
import type { Surroundings } from '../surroundings.ts'

/** `{"` in base64url, which every JWT begins with. */
const JWT_START = 'eyJ'

/** Fails with what to say on stderr. Whether the token is one is the verifier's to tell. */
export async function readToken(
  argument: string | undefined,
  readIn: Surroundings['readIn'],
): Promise<Result<string, string>> {
  const text = (argument ?? (await readIn?.()))?.trim()
  if (!text) return fail(formatMessage('there is no JWT: pass it as an argument or on stdin'))
  if (text.startsWith(JWT_START) || !holdsCredential(text)) return ok(text)
  if (argument === undefined) {
    return fail(formatMessage('that is a credential, not a JWT', 'patmint token swaps it for one'))
  }
  return fail(
    formatMessage(
      'that is a credential, not a JWT, and every process of this machine can read a command line',
      'revoke it if others use this machine; patmint token takes it from PATMINT_TOKEN',
    ),
  )
}
