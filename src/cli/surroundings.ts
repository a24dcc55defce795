// What a command may touch outside itself, passed in so that commands run without a process in tests.

export type Style = 'bold' | 'dim' | 'red'

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly now: () => Date
  /** All of what is piped in. Null where a person would have to type it. */
  readonly readIn: (() => Promise<string>) | null
  /** Takes the answer and nothing else. */
  readonly writeOut: (text: string) => void
  /** Takes everything else. */
  readonly writeErr: (text: string) => void
  /** `text` for `writeOut` in a style; as it is where that shows none. */
  readonly paint: (style: Style, text: string) => string
  /** Asks the person at the terminal, who may go without an answer: null. Null where nobody is there to be asked. */
  readonly ask: ((question: string) => Promise<string | null>) | null
}
