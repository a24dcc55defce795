// A status list as text: draft-ietf-oauth-status-list-21 sections 4.1 and 4.2.

import { promisify } from 'node:util'
import { constants, deflate } from 'node:zlib'
import type { EncodedStatusList, StatusBits } from '../../protocol/status-list.ts'

/**
 * A list of `size` statuses, of `bits` bits each, that are 0 but for `entries`: pairs of an index below `size` and a
 * status. The last pair of an index counts.
 */
export async function encodeStatusList(
  size: number,
  bits: StatusBits,
  entries: Iterable<readonly [index: number, status: number]>,
): Promise<EncodedStatusList> {
  const bytes = new Uint8Array(Math.ceil((size * bits) / 8))
  for (const [index, status] of entries) setStatus(bytes, bits, index, status)
  const lst = await compress(bytes, { level: constants.Z_BEST_COMPRESSION })
  return { bits, lst: lst.toString('base64url') }
}

const compress = promisify<Uint8Array, { level: number }, Buffer>(deflate)

/** Statuses fill a byte from its least significant bit on. */
function setStatus(bytes: Uint8Array, bits: StatusBits, index: number, status: number): void {
  const at = Math.floor((index * bits) / 8)
  const shift = (index * bits) % 8
  const others = ~((2 ** bits - 1) << shift)
  bytes[at] = ((bytes[at] ?? 0) & others) | (status << shift)
}
