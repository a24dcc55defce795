// JSON that no two readers can understand differently (RFC 7515 section 4, RFC 7519 section 4, RFC 8259 section 8.1,
// RFC 7493): what JSON.parse forgives is refused.

export type JsonObject = Readonly<Record<string, unknown>>

/** `JSON.parse` takes any depth; whoever walks through what it made must not run out of stack. */
const MAX_DEPTH = 32

// A byte order mark stays in the text, where it is no JSON.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The object `bytes` spell. `undefined` when they are no JSON object in UTF-8 without a byte order mark, when an object
 * in it names a member twice, when a text has half a surrogate pair, or when it is nested more than 32 deep.
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const text = UTF8.decode(bytes)
    const value: unknown = JSON.parse(text)
    if (!isObject(value) || Array.isArray(value)) return undefined
    const members = countMembers(value, MAX_DEPTH, (one) => one.isWellFormed())
    return members === countNames(text) ? (value as JsonObject) : undefined
  } catch {
    // The parser's own message quotes what it read; it must not travel on.
    return undefined
  }
}

/** Whether no object in `value`, which `text` spells, was given a member twice; false when it is nested more than 32 deep. */
export const namesMembersOnce = (text: string, value: unknown): boolean =>
  countMembers(value, MAX_DEPTH, () => true) === countNames(text)

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Ends with the colon where it is the name of a member. */
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"\s*:?/g

/** How many members the text names. Of members with one name `JSON.parse` keeps the last, so there are fewer in the value. */
function countNames(text: string): number {
  let count = 0
  for (const string of text.match(STRING) ?? []) if (string.endsWith(':')) count += 1
  return count
}

/** How many members objects have in all. NaN, which equals nothing, where a text or the depth is not acceptable. */
function countMembers(value: unknown, depth: number, accepts: (text: string) => boolean): number {
  if (typeof value === 'string') return accepts(value) ? 0 : Number.NaN
  if (!isObject(value)) return 0
  if (depth === 0) return Number.NaN
  let count = 0
  if (!Array.isArray(value)) for (const name of Object.keys(value)) count += accepts(name) ? 1 : Number.NaN
  for (const each of Object.values(value)) count += countMembers(each, depth - 1, accepts)
  return count
}
