// What docs/cli.md promises is what the command line takes.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runInside } from './cli-fixture.ts'

const text = readFileSync('docs/cli.md', 'utf8')

const helpOf = async (...command: string[]): Promise<string> =>
  (await runInside([...command, '--help'], { fetch: () => Promise.reject(new Error('asked')) })).out

const listOptions = (of: string): Set<string> => new Set(of.match(/--[a-z][a-z-]+/g))

describe('docs/cli.md', () => {
  it('names every option of patmint policy set, policy history and verify, and none that does not exist', async () => {
    const told = await Promise.all([helpOf('policy', 'set'), helpOf('policy', 'history'), helpOf('verify')])
    const helps = [...told, await helpOf('token')]
    const known = listOptions(helps.join())
    expect([...listOptions(text)].filter((option) => !known.has(option))).toEqual([])
    const untold = [...listOptions(told.join())].filter((option) => !listOptions(text).has(option))
    expect(untold).toEqual(['--help'])
  })

  it('names every command and every variable', async () => {
    const commands = [...(await helpOf('policy')).matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(
      ([, name]) => name,
    )
    expect(commands).toEqual(['show', 'preview', 'set', 'history', 'restore'])
    for (const name of commands) expect(text).toContain(`\npatmint policy ${name} `)
    const variables = (await helpOf('token')).match(/^ {2}PATMINT_[A-Z_]+/gm)
    expect(variables).toHaveLength(3)
    for (const name of variables ?? []) expect(text).toContain(`| \`${name.trim()}\` |`)
  })
})
