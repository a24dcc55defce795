import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAddressAllowed } from '../../../src/protocol/cidr.ts'

const toAddress = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')

describe('isAddressAllowed', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0', '9.255.255.255'],
    ['10.0.0.0/8', '10.255.255.255', '11.0.0.0'],
    ['192.168.4.0/22', '192.168.4.0', '192.168.3.255'],
    ['192.168.4.0/22', '192.168.7.255', '192.168.8.0'],
    ['203.0.113.7/32', '203.0.113.7', '203.0.113.6'],
    ['203.0.113.7/32', '203.0.113.7', '203.0.113.8'],
    ['128.0.0.0/1', '128.0.0.0', '127.255.255.255'],
    ['2001:db8::/32', '2001:db8::', '2001:db7:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['2001:db8::/32', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db9::'],
    ['2001:db8:0:8000::/49', '2001:db8:0:8000::', '2001:db8:0:7fff:ffff:ffff:ffff:ffff'],
    ['2001:db8::1/128', '2001:db8::1', '2001:db8::2'],
  ])('admits with %s the address %s and refuses its neighbour %s', (cidr, inside, outside) => {
    expect(isAddressAllowed([cidr], inside)).toBe(true)
    expect(isAddressAllowed([cidr], outside)).toBe(false)
  })

  it('admits every IPv4 address with 0.0.0.0/0, and no IPv6 address', () => {
    expect(isAddressAllowed(['0.0.0.0/0'], '0.0.0.0')).toBe(true)
    expect(isAddressAllowed(['0.0.0.0/0'], '255.255.255.255')).toBe(true)
    expect(isAddressAllowed(['0.0.0.0/0'], '::1')).toBe(false)
    expect(isAddressAllowed(['0.0.0.0/0'], '::')).toBe(false)
    expect(isAddressAllowed(['0.0.0.0/0'], '2001:db8::1')).toBe(false)
  })

  it('does not take the last four bytes of an IPv6 address for an IPv4 one', () => {
    expect(isAddressAllowed(['10.0.0.0/8'], '::10.0.0.1')).toBe(false)
    expect(isAddressAllowed(['10.0.0.0/8'], '64:ff9b::10.0.0.1')).toBe(false)
    expect(isAddressAllowed(['::1/128'], '0.0.0.1')).toBe(false)
  })

  it('knows an IPv4 address in its IPv6 form', () => {
    expect(isAddressAllowed(['10.0.0.0/8'], '::ffff:10.0.0.1')).toBe(true)
    expect(isAddressAllowed(['10.0.0.0/8'], '::ffff:11.0.0.1')).toBe(false)
  })

  it('knows an IPv6 address however it is spelled', () => {
    expect(isAddressAllowed(['2001:DB8::/32'], '2001:0db8:0000:0000:0000:0000:0000:0001')).toBe(true)
  })

  it('admits an address that lies in one of several blocks, of both families', () => {
    const cidrs = ['10.0.0.0/8', '2001:db8::/32', '203.0.113.7/32']
    expect(
      ['10.1.2.3', '2001:db8::1', '203.0.113.7'].map((address) => isAddressAllowed(cidrs, address)),
    ).toEqual([true, true, true])
    expect(
      ['11.1.2.3', '2001:db9::1', '203.0.113.8'].map((address) => isAddressAllowed(cidrs, address)),
    ).toEqual([false, false, false])
  })

  it('admits nobody without a block, and never someone without an address', () => {
    expect(isAddressAllowed([], '10.0.0.1')).toBe(false)
    expect(isAddressAllowed(['0.0.0.0/0', '::/0'], '')).toBe(false)
    expect(isAddressAllowed(['0.0.0.0/0', '::/0'], 'localhost')).toBe(false)
  })

  it('admits exactly the addresses that share the prefix', () => {
    const address = fc.nat(0xffffffff)
    // Mostly neighbours, so that both answers occur for long prefixes too.
    const pair = fc.tuple(
      address,
      fc.oneof(address, fc.constantFrom(0, 1, 2, 256, 65_536)),
      fc.integer({ min: 0, max: 32 }),
    )
    fc.assert(
      fc.property(pair, ([base, distance, prefix]) => {
        const mask = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0
        const network = (base & mask) >>> 0
        const client = (base ^ distance) >>> 0
        const cidr = `${toAddress(network)}/${prefix}`
        expect(isAddressAllowed([cidr], toAddress(client))).toBe((client & mask) >>> 0 === network)
      }),
      { numRuns: 500 },
    )
  })
})
