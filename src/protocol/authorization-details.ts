// Authorization details (RFC 9396): the rights of the scope grammar as JSON. `{"type":"models","identifier":"m1",
// "actions":["read"]}` says what `models/m1:read` says.

import { fail, ok, type Result } from './result.ts'

/** One authorization detail, as it travels. */
export interface AuthorizationDetail {
  readonly type: string
  /** One entity of the type; absent: every one. */
  readonly identifier?: string
  readonly actions: readonly string[]
  /** Resource servers; absent in a request: those the token is for. */
  readonly locations?: readonly string[]
}

const MAX_LENGTH = 16_384
const MAX_DETAILS = 50
const MAX_ACTIONS = 50
const MAX_LOCATIONS = 20
const MEMBERS = new Set(['type', 'identifier', 'actions', 'locations'])

const WORD = /^[a-z0-9_.-]+$/
const ENTITY = /^[A-Za-z0-9_.~-]+$/

/** Reads the parameter `authorization_details` (RFC 9396 section 2); fails when it is anything but details we know. */
export function parseAuthorizationDetails(text: string): Result<readonly AuthorizationDetail[], null> {
  if (text.length > MAX_LENGTH) return fail(null)
  const details = parseJson(text)
  const isKnown = isListOf(details, MAX_DETAILS, isDetail)
  return isKnown ? ok(details) : fail(null)
}

/** The scopes that say what `details` say, each once. */
export const scopesOf = (details: readonly AuthorizationDetail[]): string[] => [
  ...new Set(
    details.flatMap(({ type, identifier, actions }) =>
      actions.map((action) =>
        identifier === undefined ? `${type}:${action}` : `${type}/${identifier}:${action}`,
      ),
    ),
  ),
]

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether a value is one authorization detail that we know. */
export function isDetail(value: unknown): value is AuthorizationDetail {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { type, identifier, actions, locations } = value as Record<string, unknown>
  return (
    Object.keys(value).every((member) => MEMBERS.has(member)) &&
    isWord(type) &&
    (identifier === undefined || (typeof identifier === 'string' && ENTITY.test(identifier))) &&
    isListOf(actions, MAX_ACTIONS, isWord) &&
    (locations === undefined || isListOf(locations, MAX_LOCATIONS, isText))
  )
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const isWord = (value: unknown): value is string => typeof value === 'string' && WORD.test(value)

/** A list that is not empty, not too long, and of nothing else. */
const isListOf = <Item>(
  value: unknown,
  most: number,
  isItem: (item: unknown) => item is Item,
): value is readonly Item[] =>
  Array.isArray(value) && value.length > 0 && value.length <= most && value.every(isItem)
