// The kinds of values that keys of the configuration file have. Errors never quote a value: it may be a secret.

import { z } from 'zod'

export const text = z.string({ error: 'must be text, and not empty' }).min(1)

/** A second look only where the first found nothing, so that each key has one problem at most. */
export const when = ({ issues }: { readonly issues: readonly unknown[] }): boolean => issues.length === 0

interface Issue {
  readonly code?: string | undefined
  /** From the object on, or the list. */
  readonly path?: readonly PropertyKey[] | undefined
}

/** A look at these keys of an object, or with `depth` 2 of those in a list, whatever is wrong with its other keys. */
export const whenRight =
  (keys: readonly string[], depth = 1) =>
  ({ issues }: { readonly issues: readonly Issue[] }): boolean =>
    issues.every(
      ({ code, path = [] }) =>
        code === 'unrecognized_keys' || (path.length >= depth && !keys.includes(String(path[depth - 1]))),
    )

/** Text of a shape that the JSON schema shows too, and of which `isRight` says the rest. */
export const shaped = (shape: RegExp, isRight: (text: string) => boolean, error: string) =>
  z.string({ error }).regex(shape, { error }).refine(isRight, { error, when })

export const wholeNumber = (least: number, most: number) =>
  z
    .int({ error: `must be a whole number from ${least} to ${most}` })
    .min(least)
    .max(most)
