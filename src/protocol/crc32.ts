// CRC-32 as in IEEE 802.3 (reflected, polynomial 0xEDB88320), so that browsers and scanners agree with the server.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** Checksum of an ASCII string, as 8 lower-case hex characters. */
export function crc32Hex(ascii: string): string {
  let crc = 0xffffffff
  for (let i = 0; i < ascii.length; i++) {
    crc = (crc >>> 8) ^ (TABLE[(crc ^ ascii.charCodeAt(i)) & 0xff] ?? 0)
  }
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0')
}
