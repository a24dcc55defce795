// A document from a URL that a client chose: from permitted addresses alone, without redirects, and bounded in size and
// time. What is permitted is judged of the very address that is connected to, so that a name cannot change its meaning in
// between.

import { promises as dns, type LookupAddress } from 'node:dns'
import { get as getPlain, type IncomingMessage } from 'node:http'
import { get as getSecure } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isAddressAllowed } from '../../protocol/cidr.ts'
import { isLoopbackAddress, isPublicAddress } from '../../protocol/public-address.ts'

const MAX_BYTES = 64 * 1024
/** From the look-up of the name to the last byte. */
const TIME_LIMIT_MS = 3000

export type ResolveHost = (hostname: string) => Promise<readonly LookupAddress[]>

export interface FetchSettings {
  /** Blocks that may be connected to although they are not public. */
  readonly allowedCidrs: readonly string[]
  readonly resolveHost?: ResolveHost
  readonly timeLimitMs?: number
}

/** The body at `url`. Rejects when it may not or cannot be fetched, and when the answer is anything but 200. */
export async function fetchDocument(url: URL, settings: FetchSettings): Promise<Buffer> {
  const response = await openResponse(url, settings)
  try {
    // Where a redirect leads nobody registered.
    if (response.statusCode !== 200) throw new Error(`the answer is ${response.statusCode}`)
    return await readBody(response)
  } finally {
    response.destroy()
  }
}

function openResponse(url: URL, settings: FetchSettings): Promise<IncomingMessage> {
  const { allowedCidrs, timeLimitMs = TIME_LIMIT_MS } = settings
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const isSecure = url.protocol === 'https:'
  const mayConnect = (address: string): boolean => {
    const isAllowed = isAddressAllowed(allowedCidrs, address)
    return isSecure ? isAllowed || isPublicAddress(address) : isAllowed && isLoopbackAddress(address)
  }
  // An address in place of a name is connected to without a look-up.
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0 && !mayConnect(literal)) throw new AddressRefused()
  const get = isSecure ? getSecure : getPlain
  const options = {
    // Nobody's proxy, and no connection that outlives the request.
    agent: false,
    headers: { Accept: 'application/jwk-set+json, application/json', 'Accept-Encoding': 'identity' },
    lookup: createLookup(mayConnect, settings.resolveHost ?? resolveBySystem),
    signal: AbortSignal.timeout(timeLimitMs),
  } as const
  get(url, options, resolve).on('error', reject)
  return promise
}

class AddressRefused extends Error {
  constructor() {
    super('the URL leads to no address that may be connected to')
  }
}

const resolveBySystem: ResolveHost = (hostname) => dns.lookup(hostname, { all: true })

/** What the socket asks: it connects to what is given here, and to nothing else. */
const createLookup =
  (mayConnect: (address: string) => boolean, resolveHost: ResolveHost): LookupFunction =>
  (hostname, options, answer) => {
    const find = async (): Promise<LookupAddress[]> => {
      const permitted = (await resolveHost(hostname)).filter(({ address }) => mayConnect(address))
      if (permitted.length === 0) throw new AddressRefused()
      return permitted
    }
    find().then(
      (found) => {
        const [{ address, family } = { address: '', family: 0 }] = found
        if (options.all) answer(null, found)
        else answer(null, address, family)
      },
      (error: Error) => answer(error, []),
    )
  }

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw new Error(`the answer has more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
