// PyJWT as Debian ships it, in processes that verify one token per line.

import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'

export const PYTHON = '/usr/bin/python3'

/** PyJWT with its own JWKS client. */
const PLAIN = `
import sys, jwt
uri, issuer, audience = sys.argv[1:]
keys = jwt.PyJWKClient(uri)
def verify(token):
    key = keys.get_signing_key_from_jwt(token).key
    jwt.decode(token, key, algorithms=["ES256"], issuer=issuer, audience=audience)
`

const EACH_LINE = `
import sys
for line in sys.stdin:
    try:
        verify(line.strip())
        print("", flush=True)
    except Exception as error:
        print(type(error).__name__, error, flush=True)
`

/** What it takes, with elliptic curves. */
export const PYJWT_PACKAGES = ['python3-jwt', 'python3-cryptography']

export const hasPyJwt = (): boolean =>
  spawnSync(PYTHON, ['-c', 'import jwt, cryptography; jwt.PyJWKClient']).status === 0

export interface PyJwt {
  /** Rejects with what Python says: the name of the exception and its text. Tokens are verified one after the other. */
  readonly verify: (token: string) => Promise<void>
  readonly stop: () => void
}

export const startPyJwt = (jwksUri: string, issuer: string, audience: string): PyJwt =>
  startPythonVerifier(PLAIN, jwksUri, issuer, audience)

/** Runs code that defines `verify(token)`, which raises an exception for a token that is not good. */
export function startPythonVerifier(code: string, ...args: string[]): PyJwt {
  const child = spawn(PYTHON, ['-c', code + EACH_LINE, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
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
