// Cuts the bytes of one HTTP/1.1 connection into answers, however they were split on the way (RFC 9112 section 6).
// Reads only what the load generator needs: the status, where the body ends, and whether more may follow. An answer without Content-Length
// is an error, because every answer of the measured servers has one.

/**
 * `isLast`: the server will close the connection, and take no further request over it (RFC 9112 section 9.6). `head` is
 * the status line with the headers, as they came.
 */
export type OnAnswer = (status: number, body: Buffer, isLast: boolean, head: string) => void

const HEAD_END = '\r\n\r\n'
const STATUS_LINE = /^HTTP\/1\.1 (\d{3})/
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)\r\n/i
const CLOSES = /\r\nconnection: *close\r\n/i
/** Answers that never have a body (RFC 9110 sections 15.3.5 and 15.4.5). */
const BODILESS = new Set([204, 304])

export class ResponseReader {
  readonly #onAnswer: OnAnswer
  #rest: Buffer | null = null

  constructor(onAnswer: OnAnswer) {
    this.#onAnswer = onAnswer
  }

  /** Takes the next bytes; calls back for every answer that is whole. Throws on what is no such answer. */
  push(chunk: Buffer): void {
    let bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      const headEnd = bytes.indexOf(HEAD_END)
      if (headEnd === -1) break
      const head = bytes.toString('latin1', 0, headEnd + HEAD_END.length)
      const { status, length, isLast } = readHead(head)
      const bodyStart = headEnd + HEAD_END.length
      if (bytes.length < bodyStart + length) break
      this.#onAnswer(status, bytes.subarray(bodyStart, bodyStart + length), isLast, head)
      bytes = bytes.subarray(bodyStart + length)
    }
    this.#rest = bytes.length === 0 ? null : bytes
  }
}

function readHead(head: string): { status: number; length: number; isLast: boolean } {
  const status = Number(STATUS_LINE.exec(head)?.[1])
  const length = BODILESS.has(status) ? 0 : Number(CONTENT_LENGTH.exec(head)?.[1])
  if (Number.isNaN(status) || Number.isNaN(length))
    throw new Error(`not an answer of a known length: ${head}`)
  return { status, length, isLast: CLOSES.test(head) }
}
