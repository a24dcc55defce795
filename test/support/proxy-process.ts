// A proxy of the distribution as a process: given a free port, waited for, and stopped.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { delimiter } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '../../src/server/db/embedded/free-port.ts'
import { environment } from './server-process.ts'

export interface RunningProxy {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Programs for administrators are not where an ordinary user's shell looks. */
const withSystemPath = (): Record<string, string> => ({
  PATH: [process.env['PATH'], '/usr/sbin'].join(delimiter),
})

export const isInstalled = (command: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${command}`], { env: withSystemPath() }).status === 0

/**
 * Starts a proxy, with the arguments that make it listen on an address like `127.0.0.1:8080`, and waits until it does.
 * What it keeps goes into `folder`.
 */
export async function runProxy(
  command: string,
  folder: string,
  configure: (address: string) => readonly string[],
): Promise<RunningProxy> {
  const address = `127.0.0.1:${await findFreePort()}`
  const child = spawn(command, configure(address), {
    env: environment({ ...withSystemPath(), HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  await waitUntilListening(child, address)
  return {
    url: `http://${address}`,
    stop: async () => {
      child.kill()
      await exited
    },
  }
}

async function waitUntilListening(child: ChildProcess, address: string): Promise<void> {
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  const [host = '', port] = address.split(':')
  const isListening = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(Number(port), host)
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
  while (!(await isListening())) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}: ${output}`)
    await sleep(20)
  }
}
