// Text that has broken somebody's software.

export interface HostileText {
  readonly what: string
  readonly text: string
  /** Whether it is a name people may give: odd, but it says what it is. */
  readonly isName: boolean
}

const FORGED = '{"level":"error","msg":"forged"}'

export const HOSTILE: readonly HostileText[] = [
  { what: 'SQL', text: "'); drop table credentials; --", isName: true },
  { what: 'SQL with a double quote', text: '" or 1=1; select pg_sleep(9)', isName: true },
  { what: 'HTML', text: '<script>alert(1)</script>', isName: true },
  { what: 'a template', text: '#{7*7}{{7*7}}%s%n$(id)`id`', isName: true },
  { what: 'JSON of a log line', text: FORGED, isName: true },
  { what: 'a path', text: '../../etc/passwd', isName: true },
  { what: 'dots', text: '..', isName: true },
  { what: 'an escaped NUL', text: '%00', isName: true },
  { what: 'a backslash', text: '\\u0000\\', isName: true },
  { what: '100 emoji', text: '🐘'.repeat(100), isName: true },
  { what: 'an emoji of several', text: '👩‍👩‍👧‍👦', isName: true },
  { what: 'combining marks, not composed', text: 'e\u0301\u0301\u0301 Z\u0351\u036b', isName: true },
  { what: 'what normalizes to something else', text: 'ﬁ Ⅳ Å ㎏', isName: true },
  { what: '__proto__', text: '__proto__', isName: true },
  { what: 'constructor', text: 'constructor', isName: true },
  { what: 'null', text: 'null', isName: true },
  { what: 'a noncharacter', text: 'a\uffffb', isName: true },
  { what: 'nothing', text: '', isName: false },
  { what: 'blanks', text: '   ', isName: false },
  { what: 'NUL', text: 'a\0b', isName: false },
  { what: 'a line break', text: `a\r\n${FORGED}\r\n`, isName: false },
  { what: 'an escape sequence', text: 'a\u001b[2J\u001b]0;b\u0007', isName: false },
  { what: 'a line separator', text: `a\u2028${FORGED}`, isName: false },
  { what: 'right-to-left override', text: 'a\u202eexe.txt', isName: false },
  { what: 'half a surrogate pair', text: 'a\ud800b', isName: false },
  { what: '10,000 characters', text: 'x'.repeat(10_000), isName: false },
]

/** Ways to write a path segment or a query value that no encoder would give. */
export const MALFORMED_ENCODINGS: readonly string[] = [
  '%',
  '%2',
  '%zz',
  '%ff',
  '%c0%ae%c0%ae',
  '%ed%a0%80',
  '%00',
  '%0d%0aX-Forged:%201',
  '%2e%2e%2f',
  '..%2f..%2f',
  '..',
  '%2E%2e',
  '.',
  '..;',
  '~',
  '*',
]
