import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { displayPrefix, parseCredential } from '../../src/protocol/credential.ts'
import { anyCredential, CHECKSUM, ID, PAT, SECRET } from './protocol/credential-fixture.ts'

const DOCUMENT = readFileSync('docs/secret-scanning.md', 'utf8')
const RULE = readFileSync('docs/secret-scanning/gitleaks.toml', 'utf8')

/** The value of a literal string of the rule file: between three quotes nothing is escaped (TOML 1.0). */
const [, ruleText = ''] = /^regex = '''(.+)'''$/m.exec(RULE) ?? []
const rule = new RegExp(ruleText)

/** The only block of code in `language` that the document has. */
function readBlock(language: string): string {
  const blocks = [...DOCUMENT.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(
    ([, name]) => name === language,
  )
  expect(blocks).toHaveLength(1)
  return blocks[0]?.[2] ?? ''
}

/** A hundred credentials, each followed by what typing makes of it. */
const samples = fc.sample(anyCredential, { seed: 7009, numRuns: 100 }).flatMap((credential) => {
  const value = credential.reveal()
  const other = value.at(30) === '0' ? '1' : '0'
  return [
    value,
    value.slice(0, 30) + other + value.slice(31),
    value.slice(0, -1),
    `${value}0`,
    value.toUpperCase(),
    value.replace('_', '-'),
    value.slice(0, 20) + value.slice(22) + value.slice(20, 22),
  ]
})
const genuine = samples.filter((value) => parseCredential(value))

describe('the gitleaks rule', () => {
  it('is of the form gitleaks 8 reads', () => {
    expect(ruleText).not.toBe('')
    expect(RULE).toMatch(/^\[\[rules\]\]$/m)
    for (const member of ['id', 'description', 'regex', 'keywords'])
      expect(RULE.match(new RegExp(`^${member} = `, 'gm'))).toHaveLength(1)
  })

  it('finds every credential of both kinds in the middle of text, and is let by its keywords', () => {
    const [, list = ''] = /^keywords = (.+)$/m.exec(RULE) ?? []
    const keywords = JSON.parse(list) as string[]
    fc.assert(
      fc.property(anyCredential, (credential) => {
        const value = credential.reveal()
        expect(rule.exec(`curl -H "Authorization: Bearer ${value}", twice`)?.[0]).toBe(value)
        expect(keywords.some((keyword) => value.includes(keyword))).toBe(true)
      }),
    )
  })

  it('leaves alone what is too short, too long, in capitals or part of a word', () => {
    for (const text of [PAT.slice(0, -1), `${PAT}0`, PAT.toUpperCase(), `x${PAT}`, PAT.replace('_', '-')])
      expect([text, rule.test(text)]).toEqual([text, false])
  })
})

describe('the document', () => {
  it('gives the same expression as the rule', () => {
    expect(DOCUMENT).toContain(`\n${ruleText}\n`)
  })

  it('has an example that is one', () => {
    expect(parseCredential(PAT)).toBeDefined()
    for (const part of [`\`${PAT}\``, `\`${ID}\``, `\`${SECRET}\``, `\`${CHECKSUM}\``])
      expect(DOCUMENT).toContain(part)
    expect(DOCUMENT).toContain(`\`${displayPrefix('personal', ID)}\``)
  })

  it.each([
    ['python', '/usr/bin/python3', ['-c']],
    ['js', process.execPath, ['--input-type=module', '--eval']],
  ])('has a checker in %s that agrees with the server, and ten lines of it', (language, command, options) => {
    const script = readBlock(language)
    const found = execFileSync(command, [...options, script], { input: samples.join('\n'), encoding: 'utf8' })
    expect(found.trim().split('\n')).toEqual(genuine)
    expect(genuine).toHaveLength(100)
    expect(script.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(10)
  })
})
