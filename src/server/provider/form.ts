// The body of a token request, read for whoever wants it and left unread for whoever comes after.

import type { IncomingMessage } from 'node:http'
import { parse } from 'node:querystring'
import type { Form } from './admission.ts'

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
    request.off('readable', read).off('close', giveUp)
    const body = Buffer.concat(chunks)
    const form = parse(body.toString())
    // Within the turn that has read the last of it, or the stream would end.
    if (!isWanted(form)) request.unshift(body)
    resolve(isWanted(form) ? form : undefined)
  }
  const giveUp = (): void => resolve(null)
  const read = (): void => {
    for (let chunk = request.read(); chunk !== null; chunk = request.read()) {
      chunks.push(chunk)
      missing -= chunk.length
    }
    if (missing === 0) finish()
  }
  request.on('readable', read).on('close', giveUp)
  return promise
}
