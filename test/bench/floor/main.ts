// The floor: the least a Node server can do that answers a POST with a signed token. Bare `node:http` and one ES256
// signature by the library Patmint signs with, over the same claims, in an answer of the same shape. It reads no
// form, checks nothing, knows no database.

import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'

/** An exchange's answer, taken apart by whoever starts this process. */
export interface FloorSample {
  readonly header: JWTHeaderParameters
  readonly claims: JWTPayload
  /** Members of the answer beside the token. */
  readonly members: Readonly<Record<string, unknown>>
}

const TTL_SECONDS = 300

const { header, claims, members } = JSON.parse(process.env['FLOOR_SAMPLE'] ?? '') as FloorSample
const { privateKey } = await generateKeyPair('ES256')

function sign(key: CryptoKey): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  const payload = { ...claims, jti: randomUUID(), iat, exp: iat + TTL_SECONDS }
  return new SignJWT(payload).setProtectedHeader(header).sign(key)
}

const server = createServer(async (request, response) => {
  request.resume()
  const body = JSON.stringify({ access_token: await sign(privateKey), ...members })
  response.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Length': Buffer.byteLength(body),
  })
  response.end(body)
})

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ msg: 'listening', url: `http://127.0.0.1:${port}` })}\n`)
})
process.on('SIGTERM', () => process.exit(0))
