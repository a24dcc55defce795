// One step of a sequence: it is done on the real server and in the model, and after it the two must agree about every
// credential ever made.

import type fc from 'fast-check'
import { exchangeOf, type Model, type ModelCredential, statusOf } from './credential-model.ts'
import type { Workplace } from './workplace.ts'

export type LifeCommand = fc.AsyncCommand<Model, Workplace>
type Run = (model: Model, workplace: Workplace) => Promise<void>

export const command = (
  description: string,
  run: Run,
  check: (model: Readonly<Model>) => boolean = () => true,
): LifeCommand => ({
  check,
  run: async (model: Model, workplace: Workplace) => {
    await run(model, workplace)
    await requireAgreement(model, workplace)
  },
  toString: () => description,
})

/** A command on one of the credentials there are, of which `pick` is one; none before there is any. */
export function onCredential(
  description: string,
  pick: number,
  run: (model: Model, workplace: Workplace, credential: ModelCredential, index: number) => Promise<void>,
): LifeCommand {
  const choose = (model: Model): number => pick % model.credentials.length
  return command(
    `${description} #${pick}`,
    async (model, workplace) => {
      const index = choose(model)
      const credential = model.credentials[index]
      if (credential) await run(model, workplace, credential, index)
    },
    (model) => model.credentials.length > 0,
  )
}

/** Everybody's view of every credential: who gets a token with what, and the status admins see. */
async function requireAgreement(model: Model, workplace: Workplace): Promise<void> {
  const [statuses, answers] = await Promise.all([
    workplace.listStatuses(),
    Promise.all(model.credentials.map((_, index) => workplace.exchange(index))),
  ])
  const shown = model.credentials.map((_, index) => statuses.get(workplace.idOf(index)))
  const shouldShow = model.credentials.map((one) => statusOf(model, one))
  requireEqual('statuses', shown, shouldShow)
  requireEqual('number of listed credentials', statuses.size, model.credentials.length)
  const yielded = answers.map(({ status, json }) =>
    status === 200 ? { scope: json['scope'], expires_in: json['expires_in'] } : { error: json['error'] },
  )
  const shouldYield = model.credentials.map((one) => exchangeOf(model, one))
  requireEqual('exchanges', yielded, shouldYield)
}

function requireEqual(what: string, real: unknown, modelled: unknown): void {
  const [is, shouldBe] = [JSON.stringify(real), JSON.stringify(modelled)]
  if (is !== shouldBe) throw new Error(`${what}: ${is}, and should be ${shouldBe}`)
}
