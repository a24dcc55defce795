import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { configFileSchema } from '../../../../src/server/config/schema.ts'
import { load, writeConfigFile } from './config-fixture.ts'

const PATH = 'config/patmint.yaml'
const text = readFileSync(PATH, 'utf8')
/** A comment has a blank after its `#`, a key that is commented out has none. */
const KEY = /^#(?=[a-z_]+:)/gm

describe('config/patmint.yaml', () => {
  it('changes nothing as it stands', () => {
    expect(load({ PATMINT_CONFIG: PATH })).toEqual(load({}))
  })

  it('changes nothing with every key put in force, since each stands there with its default', () => {
    const path = writeConfigFile(text.replaceAll(KEY, ''))
    expect(load({ PATMINT_CONFIG: path })).toEqual(load({}))
  })

  it('names every key, in the order of the schema', () => {
    const keys = [...text.matchAll(/^#([a-z_]+):/gm)].map(([, key]) => key)
    expect(keys).toEqual(Object.keys(configFileSchema.shape))
  })

  it('names the schema in its first line', () => {
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=patmint.schema.json')
  })
})
