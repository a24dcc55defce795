// Timers that keep no process alive.

import type { Schedule } from './kept-document.ts'

export const scheduleTimer: Schedule = (task, delayMs) => {
  const timer = setTimeout(task, delayMs)
  // Elsewhere than in Node, Deno and Bun a timer is a number.
  timer.unref?.()
  return () => clearTimeout(timer)
}
