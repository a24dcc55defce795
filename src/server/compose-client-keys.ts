// The keys that clients publish, fetched from where the configuration lets the server go.

import { fetchDocument } from './client-keys/fetch-document.ts'
import { PublishedKeys } from './client-keys/published-keys.ts'
import { readKeySet } from './client-keys/read-key-set.ts'
import type { Config } from './config/config.ts'
import type { Logger } from './http/log.ts'

export const composePublishedKeys = ({ clientJwksAllowedCidrs }: Config, log: Logger): PublishedKeys =>
  new PublishedKeys({
    fetchKeySet: async (url) => {
      const body = await fetchDocument(new URL(url), { allowedCidrs: clientJwksAllowedCidrs })
      return readKeySet(body.toString())
    },
    nowMs: () => performance.now(),
    onFailure: (url, err) => log.warn({ url: withoutQuery(url), err }, 'client keys not fetched'),
  })

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
