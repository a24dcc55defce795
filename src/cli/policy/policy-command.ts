// What every `patmint policy …` does around its own work: find out where and as whom, and tell what failed.

import { type ApiFailure, createCallApi } from '../api-client.ts'
import { describeApiFailure } from '../describe-failure.ts'
import { EXIT_CODE, type ExitCode } from '../exit-code.ts'
import { resolveSource } from '../resolve-source.ts'
import type { Surroundings } from '../surroundings.ts'
import { createPolicyClient, type PolicyClient } from './policy-client.ts'
import type { LevelOptions } from './policy-options.ts'

/** A preview may look at a million credentials. */
const TIMEOUT_MS = 30_000

/** What a command works with. */
export interface PolicyWork {
  readonly client: PolicyClient
  readonly surroundings: Surroundings
  /** Says on stderr why a call failed; gives the exit code. */
  readonly tellFailure: (failure: ApiFailure) => ExitCode
}

export async function runPolicyCommand<Options extends LevelOptions>(
  options: Options,
  version: string,
  surroundings: Surroundings,
  command: (options: Options, work: PolicyWork) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { environment, fetch, writeErr } = surroundings
  const source = resolveSource(options, environment)
  if (!source.ok) {
    writeErr(source.error.map((problem) => `error: ${problem}\n`).join(''))
    return EXIT_CODE.usage
  }
  const userAgent = `patmint-cli/${version}`
  const call = createCallApi(source.value, { fetch, timeoutMs: TIMEOUT_MS, userAgent })
  const tellFailure = (failure: ApiFailure): ExitCode => {
    const { message, exitCode } = describeApiFailure(failure, source.value.issuer)
    writeErr(message)
    return exitCode
  }
  const client = createPolicyClient(call, options.organization)
  return command(options, { client, surroundings, tellFailure })
}
