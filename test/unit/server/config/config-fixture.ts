// Configurations for tests: from given variables and the text of a file, without anything of this machine.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inject } from 'vitest'
import { type Config, loadConfig } from '../../../../src/server/config/config.ts'

/** A folder that goes when all tests are done. */
export const newFolder = (): string => mkdtempSync(join(dirname(inject('evidenceDir')), 'config-'))

export const NO_FILE = '/dev/null'

/** Writes a configuration file; gives its path. */
export function writeConfigFile(text: string): string {
  const path = join(newFolder(), 'patmint.yaml')
  writeFileSync(path, text)
  return path
}

export function load(variables: Record<string, string>): Config {
  const result = loadConfig({ PATMINT_CONFIG: NO_FILE, ...variables })
  if (!result.ok) throw new Error(result.error.join('\n'))
  return result.value
}

/** The problems of a configuration that must not load. */
export function problemsOf(variables: Record<string, string>): string[] {
  const result = loadConfig({ PATMINT_CONFIG: NO_FILE, ...variables })
  if (result.ok) throw new Error('the configuration was taken')
  return result.error
}

/** The same for a file, which the lines call `FILE`. */
export function problemsOfFile(text: string, variables: Record<string, string> = {}): string[] {
  const path = writeConfigFile(text)
  return problemsOf({ ...variables, PATMINT_CONFIG: path }).map((line) => line.replaceAll(path, 'FILE'))
}
