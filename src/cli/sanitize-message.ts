// Text for a terminal that holds words of others: a server's description, or arguments typed in the wrong place.

/** Also a credential with a few characters lost, which is still most of a secret. */
const CREDENTIAL = /(?:pat|key)_[0-9a-f]{16,}/gi

// Escape sequences and bidirectional marks of a hostile server could rewrite what the terminal shows.
const CONTROL = /(?!\n)[\p{Cc}\p{Cf}]/gu

/** Takes credentials, and control characters other than line feeds, out of `text`. */
export const sanitizeMessage = (text: string): string =>
  text.replace(CREDENTIAL, '[redacted]').replace(CONTROL, '')
