// The person at the terminal, if there is one: colours on what they see, and questions to them.

import { createInterface } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import { styleText } from 'node:util'
import type { Surroundings } from './surroundings.ts'

interface Streams {
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  readonly stderr: WriteStream
}

/** Colours go by stdout alone, and by NO_COLOR; questions need somebody who reads stderr and types into stdin. */
export const openTerminal = ({ stdin, stdout, stderr }: Streams): Pick<Surroundings, 'ask' | 'paint'> => ({
  paint: (style, text) => styleText(style, text, { stream: stdout }),
  ask: stdin.isTTY && stderr.isTTY ? (question) => askOnce(question, stdin, stderr) : null,
})

const askOnce = (question: string, input: ReadStream, output: WriteStream): Promise<string | null> =>
  new Promise((resolve) => {
    const terminal = createInterface({ input, output })
    // The end of the input, or Ctrl-C, which would otherwise end the process with a code of its own.
    terminal.on('close', () => resolve(null))
    terminal.on('SIGINT', () => terminal.close())
    terminal.question(question, (answer) => {
      resolve(answer)
      terminal.close()
    })
  })
