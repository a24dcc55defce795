// Who may work at a time: one after the other, but nobody waits for long for one that does not come back.

export interface Gate {
  /** Starts whoever enters when it is their turn. */
  readonly enter: (start: () => void) => void
  /** What keeps whoever was started inside; called as they are started. */
  readonly stay: <T>(task: Promise<T>) => Promise<T>
}

/**
 * Lets in one at a time, and further ones, up to `places` in all, when the last has stayed for `patienceMs`. They are let
 * in first come first, and started when `gather` has it.
 */
export function createGate(places: number, patienceMs: number, gather: (start: () => void) => unknown): Gate {
  const waiting: (() => void)[] = []
  let inside = 0
  /** Whom the others wait for. */
  let awaited: object | undefined

  const letIn = (): void => {
    if (awaited || inside === places) return
    const start = waiting.shift()
    if (!start) return
    inside += 1
    awaited = {}
    gather(start)
  }
  const enter = (start: () => void): void => {
    waiting.push(start)
    letIn()
  }
  const stay = <T>(task: Promise<T>): Promise<T> => {
    const visit = awaited
    const goOn = (): void => {
      if (awaited === visit) awaited = undefined
      letIn()
    }
    const patience = setTimeout(goOn, patienceMs)
    return task.finally(() => {
      clearTimeout(patience)
      inside -= 1
      goOn()
    })
  }
  return { enter, stay }
}
