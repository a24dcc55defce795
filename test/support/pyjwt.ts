// PyJWT with its own JWKS client, as Debian ships it: a process that verifies one token per line.

import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'

const PYTHON = '/usr/bin/python3'

const PROGRAM = `
import sys, jwt
uri, issuer, audience = sys.argv[1:]
keys = jwt.PyJWKClient(uri)
for line in sys.stdin:
    token = line.strip()
    try:
        key = keys.get_signing_key_from_jwt(token).key
        jwt.decode(token, key, algorithms=["ES256"], issuer=issuer, audience=audience)
        print("", flush=True)
    except Exception as error:
        print(type(error).__name__, error, flush=True)
`

/** Whether this machine has it, with what it needs for elliptic curves. */
export const hasPyJwt = (): boolean =>
  spawnSync(PYTHON, ['-c', 'import jwt, cryptography; jwt.PyJWKClient']).status === 0

export interface PyJwt {
  /** Rejects with what PyJWT says. Tokens are verified one after the other. */
  readonly verify: (token: string) => Promise<void>
  readonly stop: () => void
}

export function startPyJwt(jwksUri: string, issuer: string, audience: string): PyJwt {
  const child = spawn(PYTHON, ['-c', PROGRAM, jwksUri, issuer, audience], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting: PromiseWithResolvers<void>[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const first = waiting.shift()
    if (line === '') first?.resolve()
    else first?.reject(new Error(line))
  })
  return {
    verify: (token) => {
      const verified = Promise.withResolvers<void>()
      waiting.push(verified)
      child.stdin.write(`${token}\n`)
      return verified.promise
    },
    stop: () => void child.kill(),
  }
}
