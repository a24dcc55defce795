// Text for a terminal that holds words of others: a server's description, or arguments typed in the wrong place.

import { redactCredentials } from '../protocol/credential.ts'

// Escape sequences and bidirectional marks of a hostile server could rewrite what the terminal shows.
const CONTROL = /(?!\n)[\p{Cc}\p{Cf}]/gu

/** Takes credentials, and control characters other than line feeds, out of `text`. */
export const sanitizeMessage = (text: string): string => redactCredentials(text).replace(CONTROL, '')
