// Users with credentials, and what an exchange of one must come to now. Users and credentials are switched off and on
// again one at a time, so that at most one change of an exchange's outcome is under way.

import { composeExchange } from '../bench/load/requests.ts'

/** What an exchange must come to; `either` when a change was under way at the same time. */
export type Expected = 'granted' | 'refused' | 'either'

/** On or off; in odd phases, on its way from one to the other. */
class Switch {
  #phase = 0
  #isOn = true

  get phase(): number {
    return this.#phase
  }
  get isOn(): boolean {
    return this.#isOn
  }

  /** Turns it by `change`, which resolves when that was acknowledged. */
  async turn(isOn: boolean, change: () => Promise<void>): Promise<void> {
    this.#phase += 1
    await change()
    this.#isOn = isOn
    this.#phase += 1
  }
}

export class Credential {
  readonly value: string
  readonly request: Buffer
  /** Off: revoked. */
  readonly life = new Switch()

  constructor(value: string) {
    this.value = value
    this.request = composeExchange(value)
  }

  get path(): string {
    return `/tokens/${this.value.slice(4, 20)}`
  }
}

export interface Holder {
  readonly userId: string
  /** Off: suspended. */
  readonly standing: Switch
  /** A revoked one stays until another takes its place. */
  readonly credentials: Credential[]
}

export const createHolder = (userId: string, values: readonly string[]): Holder => ({
  userId,
  standing: new Switch(),
  credentials: values.map((value) => new Credential(value)),
})

/** To be called when an exchange begins; what it gives, when it has ended. */
export function watch({ standing }: Holder, { life }: Credential): () => Expected {
  const before = [standing.phase, life.phase]
  const expected = standing.isOn && life.isOn ? 'granted' : 'refused'
  return () => {
    const isSettled = [standing.phase, life.phase].every(
      (phase, index) => phase === before[index] && phase % 2 === 0,
    )
    return isSettled ? expected : 'either'
  }
}
