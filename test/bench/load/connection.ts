// One keep-alive connection that carries one request at a time. Raw sockets, because the load generator shares the
// cores with what it measures: `fetch` would cost several times the exchange.

import { connect, type Socket } from 'node:net'
import { ResponseReader } from './response-reader.ts'

export interface Target {
  readonly host: string
  readonly port: number
}

/** Status 0: the connection was lost before the answer came; the text says how. */
export type OnOutcome = (status: number, body: Buffer) => void

const LOST = 0

export class Connection {
  readonly #socket: Socket
  #onOutcome: OnOutcome | null = null
  #isOpen = true

  private constructor(socket: Socket) {
    this.#socket = socket
    const reader = new ResponseReader((status, body) => this.#settle(status, body))
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk)
      } catch (error) {
        this.#lose(String(error))
      }
    })
    socket.on('error', (error) => this.#lose(error.message))
    socket.on('close', () => this.#lose('the connection was closed'))
  }

  /** Opens a connection, from one of this machine's own addresses when `from` names it. */
  static async open({ host, port }: Target, from?: string): Promise<Connection> {
    const socket = connect({
      host,
      port,
      noDelay: true,
      ...(from === undefined ? {} : { localAddress: from }),
    })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new Connection(socket)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Sends a request; `onOutcome` is called once, with the answer or with its loss. */
  send(request: Buffer, onOutcome: OnOutcome): void {
    this.#onOutcome = onOutcome
    this.#socket.write(request)
  }

  close(): void {
    this.#lose('closed by the load generator')
  }

  #settle(status: number, body: Buffer): void {
    const onOutcome = this.#onOutcome
    this.#onOutcome = null
    onOutcome?.(status, body)
  }

  #lose(reason: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#socket.destroy()
    this.#settle(LOST, Buffer.from(reason))
  }
}
