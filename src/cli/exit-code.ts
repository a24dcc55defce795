// Exit codes scripts branch on. They are part of the contract, so nothing else may be returned.

export const EXIT_CODE = {
  ok: 0,
  /** The server understood and said no: the same call will be refused again. */
  refused: 1,
  /** The call itself is wrong; nothing was sent. */
  usage: 2,
  /** No answer to rely on: worth trying again. */
  unreachable: 3,
} as const

export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE]
