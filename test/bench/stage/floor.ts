// The floor server, told what an answer of Patmint looks like: same claims, same members.

import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader, type JWTHeaderParameters } from 'jose'
import type { FloorSample } from '../floor/main.ts'
import { type NodeProcess, startNodeProcess } from './node-process.ts'

/** Starts it with the body of a granted exchange as its model. */
export function startFloor(dir: string, granted: Buffer): Promise<NodeProcess> {
  const { access_token: token, ...members } = JSON.parse(granted.toString()) as { access_token: string }
  const sample: FloorSample = {
    header: decodeProtectedHeader(token) as JWTHeaderParameters,
    claims: decodeJwt(token),
    members,
  }
  return startNodeProcess({
    script: '../floor/main.ts',
    variables: { FLOOR_SAMPLE: JSON.stringify(sample) },
    logFile: join(dir, 'floor.log'),
  })
}
