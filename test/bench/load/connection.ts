// One keep-alive connection that carries one request at a time. Raw sockets, because the load generator shares the
// cores with what it measures: `fetch` would cost as much as the exchange itself.

import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ResponseReader } from './response-reader.ts'

export interface Target {
  readonly host: string
  readonly port: number
}

/** Takes the answer with the head it came under, or its loss. */
export type OnOutcome = (status: number, body: Buffer, head: string) => void

/** The status of a request that got no answer; the body then says why. */
export const LOST = 0

/** A server that lets a request lie for so long does not answer it at all. */
const ANSWER_MS = 20_000
/** Between attempts to connect to a server that is away. */
const RECONNECT_MS = 20

export class Connection {
  readonly #socket: Socket
  #onOutcome: OnOutcome | null = null
  #isOpen = true

  private constructor(socket: Socket) {
    this.#socket = socket
    const reader = new ResponseReader((status, body, isLast, head) => {
      if (isLast) this.#end()
      this.#settle(status, body, head)
    })
    socket.setTimeout(ANSWER_MS, () => this.#lose(`no answer in ${ANSWER_MS} ms`))
    socket.on('error', (error) => this.#lose(error.message))
    socket.on('close', () => this.#lose('the connection was closed'))
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk)
      } catch (error) {
        this.#lose(String(error))
      }
    })
  }

  /** Opens a connection, from one of this machine's own addresses when `from` names it. */
  static async open({ host, port }: Target, from?: string): Promise<Connection> {
    const socket = connect({ host, port, noDelay: true, ...(from && { localAddress: from }) })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new Connection(socket)
  }

  /** Opens one as soon as that is possible; undefined once `isStopped`. */
  static async reopen(target: Target, from: string | undefined, isStopped: () => boolean) {
    while (!isStopped()) {
      const connection = await Connection.open(target, from).catch(() => undefined)
      if (connection) return connection
      await sleep(RECONNECT_MS)
    }
    return undefined
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Sends a request; `onOutcome` is called once. Only for an open connection that carries no other one. */
  send(request: Buffer, onOutcome: OnOutcome): void {
    this.#onOutcome = onOutcome
    this.#socket.write(request)
  }

  close(): void {
    this.#lose('closed by the load generator')
  }

  #settle(...outcome: Parameters<OnOutcome>): void {
    const onOutcome = this.#onOutcome
    this.#onOutcome = null
    onOutcome?.(...outcome)
  }

  #lose(reason: string): void {
    if (!this.#isOpen) return
    this.#end()
    this.#settle(LOST, Buffer.from(reason), '')
  }

  #end(): void {
    this.#isOpen = false
    this.#socket.destroy()
  }
}
