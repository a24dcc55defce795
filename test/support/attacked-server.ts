// A server for tests that send it what is meant to break something: every request is counted, and its log is looked at
// when all is done.

import { readFileSync } from 'node:fs'
import { type Acme, API, startAcme } from './acme.ts'
import { canary } from './evidence.ts'
import { holdConnections } from './held-connections.ts'
import type { Targets } from './operation-samples.ts'
import type { Answer } from './requests.ts'

export interface AttackedServer {
  readonly acme: Acme
  /** Jane and what is hers, and of everything else one. */
  readonly targets: Targets
  /** A call, by the platform admin unless another token is given. */
  readonly call: (method: string, path: string, body?: unknown, token?: string) => Promise<Answer>
  /** The same, with the text of the body. */
  readonly send: (method: string, path: string, text?: string) => Promise<Answer>
  /** How many of the calls there were, and what is wrong with what the server logged meanwhile. */
  readonly readLog: () => { calls: number; problems: string[] }
  readonly stop: () => Promise<void>
}

export async function startAttackedServer(): Promise<AttackedServer> {
  const acme = await startAcme()
  const connections = holdConnections(acme.url, 8)
  const requestIds: string[] = []
  const linesBefore = readLines(acme.logPath).length

  const note = (answer: Answer): Answer => {
    requestIds.push(answer.headers.get('x-request-id') ?? '')
    for (const secret of [answer.json['token'], answer.json['client_secret']])
      if (typeof secret === 'string') canary(secret)
    return answer
  }
  const call: AttackedServer['call'] = async (method, path, body, token = acme.adminToken) =>
    note(await connections.call(token, method, path, body))

  return {
    acme,
    targets: await findTargets(acme, call),
    call,
    send: async (method, path, text) =>
      note(await connections.callWithText(acme.adminToken, method, path, text)),
    readLog: () => {
      const lines = readLines(acme.logPath).slice(linesBefore)
      return { calls: requestIds.length, problems: findLogProblems(lines, requestIds) }
    },
    stop: async () => {
      connections.close()
      await acme.stop()
    },
  }
}

const readLines = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n')

async function findTargets(acme: Acme, call: AttackedServer['call']): Promise<Targets> {
  const first = async (path: string, name: 'id' | 'kid' = 'id') =>
    String(((await call('GET', path)).json['items'] as Record<string, string>[])[0]?.[name])
  const key = await call('POST', '/organizations/acme/keys', { name: 'target', role: 'engineer' })
  return {
    slug: 'acme',
    userId: await first('/users?email=jane%40acme.test'),
    credentialId: acme.janePat.slice(4, 20),
    keyId: String(key.json['id']),
    role: 'engineer',
    resourceServerId: await first(`/resource-servers?audience=${encodeURIComponent(API)}`),
    clientId: 'orders-service',
    kid: await first('/signing-keys', 'kid'),
  }
}

/** One line for each request, and nothing else: no fault, and nothing that somebody sent. */
function findLogProblems(lines: readonly string[], requestIds: readonly string[]): string[] {
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const logged = Map.groupBy(entries, ({ requestId }) => String(requestId))
  const known = new Set(requestIds)
  const isRequest = ({ level, msg }: Record<string, unknown>) => level === 'debug' && msg === 'request'
  const isOurs = (entry: Record<string, unknown>) => isRequest(entry) && known.has(String(entry['requestId']))
  return [
    ...entries.filter((entry) => !isOurs(entry)).map((entry) => JSON.stringify(entry)),
    ...requestIds.filter((id) => logged.get(id)?.length !== 1),
  ]
}
