// Address blocks in CIDR notation (RFC 4632, RFC 4291 section 2.3), as Postgres' type `cidr` takes them.

import { isIP } from 'node:net'

const BITS = { 4: 32, 6: 128 } as const

interface Block {
  readonly version: 4 | 6
  /** The bits all addresses of the block begin with. */
  readonly prefix: string
}

/** An IPv4 address in IPv6 form (RFC 4291 section 2.5.5.2). */
const MAPPED = '0'.repeat(80) + '1'.repeat(16)

const toBinary = (value: number, width: number): string => value.toString(2).padStart(width, '0')

function toBits(address: string): string {
  if (isIP(address) === 4)
    return address
      .split('.')
      .map((part) => toBinary(Number(part), 8))
      .join('')
  // The URL parser knows every way to write an IPv6 address, and gives it in hexadecimal groups.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text = ''): string[] => text.split(':').filter((group) => group !== '')
  const [left, right] = [groups(head), groups(tail)]
  const zeros = Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].map((group) => toBinary(Number.parseInt(group, 16), 16)).join('')
}

/** Reads a block; `undefined` unless address, prefix length and host bits (all zero) are right. */
function parseBlock(text: string): Block | undefined {
  const [address = '', length = '', ...rest] = text.split('/')
  const version = address.includes('%') ? 0 : isIP(address)
  if ((version !== 4 && version !== 6) || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length))
    return undefined
  const bits = toBits(address)
  if (Number(length) > BITS[version] || bits.slice(Number(length)).includes('1')) return undefined
  return { version, prefix: bits.slice(0, Number(length)) }
}

/** Whether `text` is a block such as `10.0.0.0/8` or `2001:db8::/32`. */
export const isCidr = (text: string): boolean => parseBlock(text) !== undefined

/** Whether `address` lies in one of `cidrs`. An IPv4 address is in no IPv6 block, however wide. */
export function isAddressAllowed(cidrs: readonly string[], address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false
  const bits = toBits(address)
  const isMapped = bits.length === BITS[6] && bits.startsWith(MAPPED)
  const own = isMapped ? bits.slice(MAPPED.length) : bits
  return cidrs.some((cidr) => {
    const block = parseBlock(cidr)
    return block !== undefined && BITS[block.version] === own.length && own.startsWith(block.prefix)
  })
}

/** Bits of an IPv6 address that stand for one client: a site has all addresses that begin with these (RFC 6177). */
const CLIENT_BITS = 56

/** What addresses of one client have in common: an IPv4 address itself, of an IPv6 address its /56, as bits. */
export function clientBlockOf(address: string): string {
  if (isIP(address) !== 6 || address.includes('%')) return address
  const bits = toBits(address)
  return bits.startsWith(MAPPED) ? bits : bits.slice(0, CLIENT_BITS)
}
