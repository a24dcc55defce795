// Declarative apply: all files in one transaction, each object brought to what the files say of it, objects they do
// not name left alone. Files that contradict themselves or the database change nothing.

import { fail, ok, type Result } from '../../../protocol/result.ts'
import type { Database, Queryable } from '../../db/database.ts'
import { lockUntilEnd } from '../../db/lock.ts'
import type { PolicyReplaced } from '../../policy/version-store.ts'
import type { DerivedKeys } from '../../secret/secret-keys.ts'
import { applyClients } from './clients.ts'
import { applyOrganizations } from './organizations.ts'
import { applyPolicy } from './policies.ts'
import { type DeclarativeFile, type Environment, readDeclarativeFile } from './read-file.ts'
import { applyResourceServers } from './resource-servers.ts'
import { applyRoles } from './roles.ts'
import type { ApplyRun, Declared } from './run.ts'
import type { ApplyFile } from './schema.ts'
import { applyUsers } from './users.ts'

export interface ApplyOptions {
  readonly clientSecretKeys: DerivedKeys
  readonly now: Date
  /** Runs in the same transaction, when there is something to record. */
  readonly record: (
    transaction: Queryable,
    changes: readonly string[],
    policies: readonly PolicyReplaced[],
  ) => Promise<void>
}

/** Thrown inside the transaction only, to roll it back. */
class Contradiction extends Error {}

/** Reads files, taking `${NAME}` from `env`; fails with one line per problem. Needs no database. */
export function readDeclarations(
  paths: readonly string[],
  env: Environment,
): Result<DeclarativeFile[], string[]> {
  const results = paths.map((path) => readDeclarativeFile(path, env))
  const problems = results.flatMap((result) => (result.ok ? [] : result.error))
  return problems.length > 0
    ? fail(problems)
    : ok(results.flatMap((result) => (result.ok ? result.value : [])))
}

/** Applies what was read; gives one line per change, or fails with one line per problem and changes nothing. */
export async function applyDeclarations(
  db: Database,
  files: readonly DeclarativeFile[],
  { clientSecretKeys, now, record }: ApplyOptions,
): Promise<Result<string[], string[]>> {
  const changes: string[] = []
  const policies: PolicyReplaced[] = []
  const problems: string[] = []
  try {
    await db.transaction().execute(async (transaction) => {
      // Another apply may be long: this one waits its turn, for as long as the database was opened for.
      await lockUntilEnd(transaction, 'patmint.apply')
      await applySections({ transaction, now, clientSecretKeys, changes, policies, problems }, files)
      if (problems.length > 0) throw new Contradiction()
      if (changes.length > 0) await record(transaction, changes, policies)
    })
  } catch (error) {
    if (error instanceof Contradiction) return fail(problems)
    throw error
  }
  return ok(changes)
}

/** Sections in the order in which they name each other. */
async function applySections(run: ApplyRun, files: readonly DeclarativeFile[]): Promise<void> {
  await applyResourceServers(run, gather(files, 'resource_servers'))
  await applyOrganizations(run, gather(files, 'organizations'))
  await applyRoles(run, gather(files, 'roles'))
  await applyUsers(run, gather(files, 'users'))
  await applyClients(run, gather(files, 'clients'))
  await applyPolicies(run, files)
}

type ListSection = Exclude<keyof ApplyFile, 'policies'>

function gather<Section extends ListSection>(
  files: readonly DeclarativeFile[],
  section: Section,
): Declared<ApplyFile[Section][number]>[] {
  return files.flatMap(({ content, locate }) =>
    content[section].map((value, index) => ({
      value,
      at: (...path: PropertyKey[]) => locate([section, index, ...path]),
    })),
  )
}

async function applyPolicies(run: ApplyRun, files: readonly DeclarativeFile[]): Promise<void> {
  const declared = new Set<string | null>()
  for (const { content, locate } of files) {
    const { platform, organizations } = content.policies
    const entries = Object.entries(organizations).map(([slug, policy]) => [slug, policy] as const)
    for (const [slug, policy] of [...(platform ? [[null, platform] as const] : []), ...entries]) {
      const base = slug === null ? ['policies', 'platform'] : ['policies', 'organizations', slug]
      if (declared.has(slug)) run.problems.push(`${locate(base)}: the policy is declared twice`)
      else await applyPolicy(run, slug, policy, (...path) => locate([...base, ...path]))
      declared.add(slug)
    }
  }
}
