// Which addresses belong to the public internet (the special-purpose registries of RFC 6890): where a server may go that
// follows a URL somebody else gave it, without reaching what only it can reach.

import { isIP } from 'node:net'
import { isAddressAllowed } from './cidr.ts'

const SPECIAL_IPV4 = [
  '0.0.0.0/8', // this network, the unspecified address
  '10.0.0.0/8', // private
  '100.64.0.0/10', // between a carrier and its customers
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, where clouds keep their metadata
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
]

/** All else is loopback, link-local, unique-local, multicast, translated from IPv4, or not assigned. */
const GLOBAL_IPV6 = ['2000::/3']
const SPECIAL_IPV6 = [
  '2001::/23', // protocol assignments, Teredo among them
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which leads to any IPv4 address
  '3fff::/20', // documentation
]

const LOOPBACK = ['127.0.0.0/8', '::1/128']

/** An IPv4 address in IPv6 form is none, wherever it leads. */
export const isPublicAddress = (address: string): boolean =>
  isIP(address) === 4
    ? !isAddressAllowed(SPECIAL_IPV4, address)
    : isAddressAllowed(GLOBAL_IPV6, address) && !isAddressAllowed(SPECIAL_IPV6, address)

export const isLoopbackAddress = (address: string): boolean => isAddressAllowed(LOOPBACK, address)
