// A command at a pseudo-terminal, by `script` of util-linux, as a person would run it: typed to, and read.

import { spawn, spawnSync } from 'node:child_process'
import { environment } from './server-process.ts'

/** Whether this machine has it; other systems' `script` takes other arguments. */
export const hasTerminal = (): boolean =>
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false

export interface TerminalRun {
  /** Resolves once the screen shows `text`. */
  readonly waitFor: (text: string) => Promise<void>
  readonly type: (text: string) => void
  /** All that was shown, and the exit code, once it has ended. */
  readonly end: Promise<{ readonly screen: string; readonly exitCode: number | null }>
}

/** Runs Node with `args`, none of which may need quoting. */
export function runAtTerminal(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): TerminalRun {
  const command = [process.execPath, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    // Nor is whoever sits there a CI system, where Node shows no colours.
    env: { ...environment({ ...variables, TERM: 'xterm', SHELL: '/bin/sh' }), NO_COLOR: '', CI: undefined },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let screen = ''
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString()
    child.emit('shown')
  })
  const end = new Promise<{ screen: string; exitCode: number | null }>((resolve, reject) =>
    child.on('error', reject).on('close', (exitCode) => resolve({ screen, exitCode })),
  )
  const shown = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!screen.includes(text)) return
        child.off('shown', look)
        resolve()
      }
      child.on('shown', look)
      look()
    })
  return {
    waitFor: (text) =>
      Promise.race([
        shown(text),
        end.then(({ screen: all }) => {
          if (!all.includes(text)) throw new Error(`it ended without "${text}": ${all}`)
        }),
      ]),
    type: (text) => child.stdin.write(text),
    end,
  }
}
