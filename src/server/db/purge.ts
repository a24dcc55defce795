// Removing what has expired, in batches that stay below the statement time-out. Nothing waits for it.

/** Rows of one batch. */
export const PURGE_BATCH = 1000

/** Removes batch after batch, until one is not full or `signal` is aborted; `purgeBatch` gives how many rows it removed. */
export async function purgeInBatches(purgeBatch: () => Promise<number>, signal?: AbortSignal): Promise<void> {
  let purged = PURGE_BATCH
  while (purged === PURGE_BATCH && !signal?.aborted) purged = await purgeBatch()
}
