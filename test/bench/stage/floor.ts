// The floor server, told what an answer of Patmint looks like: same claims, same members.

import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader, type JWTHeaderParameters } from 'jose'
import type { FloorSample } from '../floor/main.ts'
import type { Contestant } from '../trial/trial.ts'
import { startNodeProcess } from './node-process.ts'

/** Starts it with the body of a granted exchange as its model. */
export async function openFloor(
  stack: AsyncDisposableStack,
  dir: string,
  granted: string,
): Promise<Contestant> {
  const { access_token: token, ...members } = JSON.parse(granted) as { access_token: string }
  const sample: FloorSample = {
    header: decodeProtectedHeader(token) as JWTHeaderParameters,
    claims: decodeJwt(token),
    members,
  }
  const floor = await startNodeProcess({
    script: '../floor/main.ts',
    variables: { FLOOR_SAMPLE: JSON.stringify(sample) },
    logFile: join(dir, 'floor.log'),
  })
  stack.defer(() => floor.stop())
  return {
    name: 'floor',
    target: floor.target,
    meters: { serverPid: floor.pid, database: undefined },
    // Its key is published nowhere.
    findFault: async () => undefined,
  }
}
