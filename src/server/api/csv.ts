// Tables as CSV (RFC 4180), a row at a time.

export type Cell = string | null

/** What a spreadsheet would take for a formula, and run: also in full-width letters, and behind white space. */
const FORMULA = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/
/** A semicolon separates cells where the comma is the decimal point: what follows would begin one. */
const NEEDS_QUOTES = /[",;\t\r\n]/

/** One row with its end. Text that people chose cannot make a spreadsheet compute anything. */
export const toCsvRow = (cells: readonly Cell[]): string => `${cells.map(toCsvCell).join(',')}\r\n`

function toCsvCell(cell: Cell): string {
  if (cell === null) return ''
  const text = FORMULA.test(cell) ? `'${cell}` : cell
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
