// What a client was told, kept on its side: all of it must hold after a crash, whatever else got lost.

import { decodeJwt } from 'jose'

/** Of a credential, as far as its client knows; `ending` once a revocation was sent that nobody has answered. */
type Fate = 'works' | 'ending' | 'ended'

const LEFT_ALONE = 10

export class Journal {
  readonly #fates = new Map<string, Fate>()
  readonly #working: string[] = []
  readonly tokenIds: string[] = []
  /** Answers that no crash explains. */
  readonly wrong: string[] = []
  #revocations = 0

  /** Creations, revocations and tokens that were acknowledged. */
  get counts(): readonly [number, number, number] {
    return [this.#fates.size, this.#revocations, this.tokenIds.length]
  }

  noteCreation(credential: string): void {
    this.#fates.set(credential, 'works')
    this.#working.push(credential)
  }

  /** A credential that works, by a number from 0 up to 1; undefined while there is none. */
  pick(chance: number): string | undefined {
    return this.#working[Math.floor(chance * this.#working.length)]
  }

  /** The same, of which a revocation is about to be sent; some are left for the others. */
  pickToRevoke(chance: number): string | undefined {
    if (this.#working.length < LEFT_ALONE) return undefined
    const [credential] = this.#working.splice(Math.floor(chance * this.#working.length), 1)
    if (credential !== undefined) this.#fates.set(credential, 'ending')
    return credential
  }

  noteRevocation(credential: string): void {
    this.#fates.set(credential, 'ended')
    this.#revocations += 1
  }

  noteToken(accessToken: string): void {
    this.tokenIds.push(String(decodeJwt(accessToken).jti))
  }

  /** What is wrong with an exchange of this credential that begins and ends with it as it is now. */
  judge(credential: string, status: number): string | null {
    const fate = this.#fates.get(credential)
    if (fate === 'works' && status !== 200) return `an acknowledged credential was refused: ${status}`
    if (fate === 'ended' && status !== 400) return `an acknowledged revocation did not hold: ${status}`
    return null
  }

  get credentials(): readonly string[] {
    return [...this.#fates.keys()]
  }
}
