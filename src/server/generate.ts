// The generated artefacts: JSON schemas (draft 2020-12) of the two YAML files, for editors and for whoever writes these
// files by program, and the OpenAPI document of the management API. A test compares them with what stands here.

import { writeFileSync } from 'node:fs'
import { z } from 'zod'
import { renderDocument } from './api/documentation.ts'
import { configFileSchema } from './config/schema.ts'
import { applyFileSchema } from './directory/apply/schema.ts'

const SCHEMAS = [
  {
    path: 'config/patmint.schema.json',
    schema: configFileSchema,
    $id: 'urn:patmint:schema:config',
    title: 'Patmint server configuration',
    description:
      'config/patmint.yaml. Every key has an environment variable of the same meaning, which wins.',
  },
  {
    path: 'config/apply.schema.json',
    schema: applyFileSchema,
    $id: 'urn:patmint:schema:apply',
    title: 'Patmint declarative file',
    description:
      'What `patmint-server apply` and PATMINT_APPLY take. Text values may name environment variables.',
  },
]

/** The issuer of a server that was told none. */
const ISSUER = 'http://localhost:8693'

/** Text of every artefact by its path. A schema that JSON schema cannot express fails. */
export const renderArtefacts = (): Map<string, string> =>
  new Map([...SCHEMAS.map(renderSchema), ['docs/openapi.json', `${renderDocument(ISSUER)}\n`]])

function renderSchema({ path, schema, ...annotations }: (typeof SCHEMAS)[number]): [string, string] {
  // What a file may say, before defaults are filled in.
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'throw' })
  return [path, `${JSON.stringify({ $schema, ...annotations, ...rest }, null, 2)}\n`]
}

if (import.meta.main) {
  for (const [path, text] of renderArtefacts()) writeFileSync(path, text)
}
