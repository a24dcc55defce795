// What may exist once: a unique index decides, because between a look-up and a write there is room for somebody else.

const UNIQUE_VIOLATION = '23505'

/** Whether `write` went through; false when something unique is taken, after which the transaction can only end. */
export async function unlessTaken(write: Promise<unknown>): Promise<boolean> {
  try {
    await write
    return true
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === UNIQUE_VIOLATION) return false
    throw error
  }
}
