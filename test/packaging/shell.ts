// Commands as a person would type them in a checkout, run by the Node.js that runs the tests.

import { execFile } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'

export const REPOSITORY = resolve(import.meta.dirname, '../..')

/** Our environment, this Node.js first, and nothing of what `npm run` put there. */
function environment(): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      !/^npm_(package|lifecycle|command|execpath|node_execpath|config_local_prefix)/.test(entry[0]),
  )
  return { ...Object.fromEntries(inherited), PATH: `${dirname(process.execPath)}:${process.env['PATH']}` }
}

/** Runs a program to its end; rejects with what it said when it fails. */
export function run(
  program: string,
  args: readonly string[],
  folder: string,
): Promise<{ stdout: string; stderr: string }> {
  const options = { cwd: folder, env: environment(), maxBuffer: 64 * 1024 * 1024 }
  return promisify(execFile)(program, args, options)
}

/** Runs a line of shell; gives what it printed, without the white space around it. */
export async function runInShell(line: string, folder: string = REPOSITORY): Promise<string> {
  return (await run('sh', ['-ec', line], folder)).stdout.trim()
}
