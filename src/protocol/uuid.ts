// UUIDv7 (RFC 9562 section 5.7): ids that sort by the time they were made, so that rows made together lie together.

/** A new id for something made at `now`; 74 of its bits are random. */
export function uuidV7(now: Date): string {
  const time = now.getTime().toString(16).padStart(12, '0').slice(-12)
  // A version 4 has all the random bits in the places of a version 7, and the variant too.
  const random = crypto.randomUUID()
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`
}
