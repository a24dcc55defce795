// The person at the terminal, if there is one: colours on what they see, questions to them, and what is piped in where
// there is nobody.

import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { ReadStream, WriteStream } from 'node:tty'
import { styleText } from 'node:util'
import type { Surroundings } from './surroundings.ts'

interface Streams {
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  readonly stderr: WriteStream
}

/** Colours go by stdout alone, and by NO_COLOR; questions need somebody who reads stderr and types into stdin. */
export const openTerminal = ({
  stdin,
  stdout,
  stderr,
}: Streams): Pick<Surroundings, 'ask' | 'paint' | 'readIn'> => ({
  paint: (style, text) => styleText(style, text, { stream: stdout }),
  ask: stdin.isTTY && stderr.isTTY ? (question) => askOnce(question, stdin, stderr) : null,
  readIn: stdin.isTTY ? null : () => text(stdin),
})

const askOnce = (question: string, input: ReadStream, output: WriteStream): Promise<string | null> =>
  new Promise((resolve) => {
    const terminal = createInterface({ input, output })
    const giveUp = (): void => {
      output.write('\n')
      resolve(null)
    }
    // By the end of the input, or by Ctrl-C.
    terminal.once('close', giveUp)
    terminal.question(question, (answer) => {
      terminal.off('close', giveUp)
      terminal.close()
      resolve(answer)
    })
  })
