// Rows of text under each other, for a terminal.

import { sanitizeMessage } from './sanitize-message.ts'
import type { Surroundings } from './surroundings.ts'

const GAP = '  '

/** A table with a bold first row; columns are as wide as they must be, and what others wrote stays within its cell. */
export function formatTable(
  [header = [], ...rows]: readonly (readonly string[])[],
  paint: Surroundings['paint'],
): string {
  const cells = [header, ...rows].map((row) => row.map(tameCell))
  const widths = header.map((_, column) => Math.max(...cells.map((row) => lengthOf(row[column] ?? ''))))
  return cells
    .map((row, index) => {
      const line = row.map((cell, column) => padCell(cell, widths[column] ?? 0)).join(GAP)
      return `${index === 0 ? paint('bold', line.trimEnd()) : line.trimEnd()}\n`
    })
    .join('')
}

const tameCell = (cell: string): string => sanitizeMessage(cell).replaceAll('\n', ' ')

/** Code points, which are columns on a terminal for all but wide letters. */
const lengthOf = (cell: string): number => [...cell].length

const padCell = (cell: string, width: number): string => cell + ' '.repeat(width - lengthOf(cell))
