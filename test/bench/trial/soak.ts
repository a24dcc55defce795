// Full load for long: whether memory stays where it is.

import { repeatRequests } from '../load/requests.ts'
import { readProcessTree } from '../meter/process-tree.ts'
import type { MemorySample, Soak } from '../report/report.ts'
import type { Arena, Session } from './session.ts'

const CONNECTIONS = 64
const SAMPLES = 60

/** Loads the server for the time asked for, looking at its memory at equal intervals. */
export async function soak(session: Session, { small }: Arena): Promise<Soak> {
  const { soakSeconds: seconds, window } = session.options
  const samples: MemorySample[] = []
  const startedAt = performance.now()
  const timer = setInterval(
    () => {
      const atSeconds = (performance.now() - startedAt) / 1000
      const { rssBytes } = readProcessTree(small.meters.serverPid)
      samples.push({ atSeconds, rssBytes })
      session.say(`soak: ${Math.round(atSeconds)} s, ${Math.round(rssBytes / 2 ** 20)} MiB`)
    },
    (seconds * 1000) / SAMPLES,
  )
  try {
    const trial = { name: 'soak', connections: CONNECTIONS, next: repeatRequests(small.exchanges) }
    return { figures: await session.run(small, trial, { ...window, seconds }), samples }
  } finally {
    clearInterval(timer)
  }
}
