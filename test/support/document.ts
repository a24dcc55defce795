// Commands and snippets of the documentation, taken out to be run as they stand.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { environment, type ServerProcess } from './server-process.ts'

/** The code blocks of one language, in order. */
export function readBlocks(path: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm')
  return [...readFileSync(path, 'utf8').matchAll(fence)].map(([, code]) => code ?? '')
}

/** The text with this server in place of the one on the documented port, and its data folder for `.patmint`. */
export const localize = (code: string, { issuer, dataDir }: ServerProcess): string =>
  code.replaceAll('http://localhost:8693', issuer).replaceAll('.patmint/', `${dataDir}/`)

/** Runs a command to its end; gives what it printed, or throws with its errors. */
export async function runCommand(
  command: string,
  args: readonly string[],
  variables: Record<string, string>,
): Promise<string> {
  const child = spawn(command, args, { env: environment(variables), stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`exit code ${code}: ${errors}`)
  return output
}

/** Runs a block as a careful shell would. */
export const runShell = (script: string, variables: Record<string, string>): Promise<string> =>
  runCommand('bash', ['-euo', 'pipefail', '-c', script], variables)

/** Files a document links to. */
export const readLinks = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/\]\(\s*(?!https?:)([^)#\s]+)[^)]*\)/g)].map(
    ([, link]) => link ?? '',
  )
