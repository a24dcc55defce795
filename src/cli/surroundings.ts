// What a command may touch outside itself, passed in so that commands run without a process in tests.

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Takes the answer and nothing else. */
  readonly writeOut: (text: string) => void
  /** Takes everything else. */
  readonly writeErr: (text: string) => void
}
