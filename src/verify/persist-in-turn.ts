// Snapshots handed on one after the other: of two that are written at once, the older may end last, and stay.

import type { Persist } from './options.ts'
import type { VerifierSnapshot } from './snapshot.ts'

/** What to call whenever there is news. Whatever comes while a snapshot is being kept is in one more, once that has ended. */
export function persistInTurn(persist: Persist, takeSnapshot: () => VerifierSnapshot): () => void {
  let [hasNews, isKeeping] = [false, false]

  async function keepUp(): Promise<void> {
    isKeeping = true
    while (hasNews) {
      hasNews = false
      // A place to keep things that fails is no reason to fail here.
      try {
        await persist(takeSnapshot())
      } catch {}
    }
    isKeeping = false
  }

  return () => {
    hasNews = true
    if (!isKeeping) void keepUp()
  }
}
