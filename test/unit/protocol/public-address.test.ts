import { describe, expect, it } from 'vitest'
import { isLoopbackAddress, isPublicAddress } from '../../../src/protocol/public-address.ts'

/** First and last address of each block that is not public, and its neighbours that are. */
const EDGES: [string, string[], string[]][] = [
  ['this network', ['0.0.0.0', '0.255.255.255'], ['1.0.0.0']],
  ['private, class A', ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0']],
  ['carrier-grade NAT', ['100.64.0.0', '100.127.255.255'], ['100.63.255.255', '100.128.0.0']],
  ['loopback', ['127.0.0.0', '127.0.0.1', '127.255.255.255'], ['126.255.255.255', '128.0.0.0']],
  ['link-local', ['169.254.0.0', '169.254.169.254', '169.254.255.255'], ['169.253.255.255', '169.255.0.0']],
  ['private, class B', ['172.16.0.0', '172.31.255.255'], ['172.15.255.255', '172.32.0.0']],
  ['protocol assignments', ['192.0.0.0', '192.0.0.255'], ['191.255.255.255', '192.0.1.0']],
  ['documentation', ['192.0.2.1', '198.51.100.1', '203.0.113.1'], ['198.51.99.255', '203.0.114.0']],
  ['6to4 relays', ['192.88.99.1'], ['192.88.98.255', '192.88.100.0']],
  ['private, class C', ['192.168.0.0', '192.168.255.255'], ['192.167.255.255', '192.169.0.0']],
  ['benchmarks', ['198.18.0.0', '198.19.255.255'], ['198.17.255.255', '198.20.0.0']],
  ['multicast and reserved', ['224.0.0.0', '239.255.255.255', '255.255.255.255'], ['223.255.255.255']],
  ['unspecified, IPv6', ['::', '0:0:0:0:0:0:0:0'], []],
  ['loopback, IPv6', ['::1'], []],
  ['IPv4 in IPv6', ['::ffff:8.8.8.8', '::ffff:10.0.0.1', '::ffff:7f00:1', '::8.8.8.8'], []],
  ['translated from IPv4', ['64:ff9b::808:808', '64:ff9b:1::1'], []],
  ['unique-local', ['fc00::1', 'fdff::1'], []],
  ['link-local, IPv6', ['fe80::1', 'fe80::1%eth0', 'febf::1', 'fec0::1'], []],
  ['multicast, IPv6', ['ff02::1'], []],
  ['protocol assignments, IPv6', ['2001::1', '2001:1ff::1'], ['2001:200::1', '2001:4860::8888']],
  ['documentation, IPv6', ['2001:db8::1', '3fff::1'], ['2001:db9::1', '3fff:1000::1']],
  ['6to4', ['2002:a00:1::'], ['2003::1']],
  ['outside of global unicast', ['1fff::1', '4000::1', '5f00::1'], ['2000::1', '3ffe::1']],
  [
    'no address',
    ['', 'localhost', '1.2.3', '01.2.3.4', '0x7f000001', '2130706433', '[::1]', '1.2.3.4/32'],
    [],
  ],
]

describe.each(EDGES)('%s', (_name, special, neighbours) => {
  it('is not public', () => {
    expect(special.filter(isPublicAddress)).toEqual([])
  })

  it('ends where it ends', () => {
    expect(neighbours.filter((address) => !isPublicAddress(address))).toEqual([])
  })
})

it('tells loopback from everything else', () => {
  expect(['127.0.0.1', '127.255.255.255', '::1'].filter((address) => !isLoopbackAddress(address))).toEqual([])
  expect(['128.0.0.1', '10.0.0.1', '::', '::2', 'localhost', ''].filter(isLoopbackAddress)).toEqual([])
})
