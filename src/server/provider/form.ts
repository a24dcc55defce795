// The body of a token request, read for whoever wants it and left unread for whoever comes after.

import type { IncomingMessage } from 'node:http'
import { parse } from 'node:querystring'
import type { Form } from './admission.ts'

/** Past this oidc-provider stops reading a form. */
export const TOKEN_FORM_BYTES = 56 * 1024

/**
 * The form in the body of a request with a stated length, if `isWanted`; else undefined, and the body is as if nobody
 * had read it. Null when the client went away while it sent.
 */
export function readFormIf<Wanted extends Form>(
  request: IncomingMessage,
  isWanted: (form: Form) => form is Wanted,
): Promise<Wanted | undefined | null> {
  const length = Number(request.headers['content-length'])
  const { promise, resolve } = Promise.withResolvers<Wanted | undefined | null>()
  const chunks: Buffer[] = []
  let missing = length
  const finish = (): void => {
    request.off('data', read).off('close', giveUp)
    const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
    const form = parse(body.toString())
    if (isWanted(form)) {
      resolve(form)
      return
    }
    // At once: after this turn the stream has ended.
    request.pause().unshift(body)
    resolve(undefined)
  }
  const giveUp = (): void => resolve(null)
  const read = (chunk: Buffer): void => {
    chunks.push(chunk)
    missing -= chunk.length
    if (missing === 0) finish()
  }
  request.on('data', read).on('close', giveUp)
  return promise
}
