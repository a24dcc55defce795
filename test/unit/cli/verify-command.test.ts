import { describe, expect, it } from 'vitest'
import {
  AUDIENCE,
  assembleToken,
  CLAIMS,
  createSigningKey,
  ISSUER,
  JWKS,
  LIST_URI,
  NOW,
  NOW_SECONDS,
  type Statuses,
  signingKey,
  signStatusList,
  signToken,
} from '../verify/issuer-fixture.ts'
import { runInside } from './cli-fixture.ts'
import { PAT } from './token-endpoint-fixture.ts'

const JWKS_URL = `${ISSUER}/.well-known/jwks.json`
const TOKEN = await signToken()

interface Issuer {
  readonly statuses?: Statuses
  /** URLs that cannot be reached. */
  readonly away?: readonly string[]
}

/** Runs `patmint verify` at `NOW` against an issuer with such status lists; nobody is at a terminal. */
async function verify(args: readonly string[], { statuses, away = [] }: Issuer = {}, piped = '') {
  const asked: string[] = []
  const fetch = async (url: string) => {
    asked.push(url)
    if (away.includes(url)) throw new TypeError('fetch failed')
    return url === JWKS_URL ? Response.json(JWKS) : new Response(await signStatusList(statuses))
  }
  const environment = { PATMINT_ISSUER: ISSUER }
  const ran = await runInside(['verify', ...args], {
    environment,
    fetch,
    now: () => NOW,
    readIn: async () => piped,
  })
  return { ...ran, asked }
}

const TABLE = `\
verdict    valid
status     neither revoked nor suspended
time left  5 minutes
audience   as named

claim      value
iss        https://patmint.example.com
sub        0198c1f0-0000-7000-8000-000000000001
aud        https://api.example.com
exp        2026-01-01T12:05:00Z
iat        2026-01-01T12:00:00Z
jti        token-1
client_id  patmint-cli
scope      models:read datasets:read
org        acme
cred       0123456789abcdef
status     {"status_list":{"idx":7,"uri":"${LIST_URI}"}}
`

describe('patmint verify, of a good token', () => {
  it('prints verdict, status, time left and every claim, and needs no credential', async () => {
    expect(await verify([TOKEN, '--audience', AUDIENCE])).toEqual({
      exitCode: 0,
      out: TABLE,
      err: '',
      asked: [JWKS_URL, LIST_URI],
    })
  })

  it('takes it from stdin, with the line break that ends it', async () => {
    expect((await verify(['--audience', AUDIENCE], {}, `${TOKEN}\n`)).out).toBe(TABLE)
  })

  it('says that the audience is not checked when none is named', async () => {
    const { exitCode, out } = await verify([TOKEN])
    expect([exitCode, out.split('\n')[3]]).toEqual([
      0,
      'audience   not checked: every one is accepted without --audience',
    ])
  })

  it('takes any of several audiences', async () => {
    const args = ['--audience', 'https://other.example.com', '--audience', AUDIENCE]
    expect((await verify([TOKEN, ...args])).exitCode).toBe(0)
  })

  it('prints one line of JSON with --json', async () => {
    const { out, err, exitCode } = await verify([TOKEN, '--json'])
    expect([exitCode, err, out.indexOf('\n')]).toEqual([0, '', out.length - 1])
    expect(JSON.parse(out)).toEqual({
      valid: true,
      status: 'valid',
      audience_checked: false,
      expires_in: 300,
      claims: CLAIMS,
    })
  })

  it('lets no claim rewrite the terminal', async () => {
    const { out } = await verify([await signToken({ ...CLAIMS, org: 'a\u001b[2Jb\nverdict  valid' })])
    expect(out).toContain('\norg        a[2Jb verdict  valid\n')
  })
})

describe('patmint verify, of a token whose status cannot be told', () => {
  it('shows it, says so, and exits with 3', async () => {
    const { exitCode, out, err } = await verify([TOKEN], { away: [LIST_URI] })
    expect([exitCode, err]).toEqual([
      3,
      'error: status_unavailable: the status list cannot be had\n' +
        'hint: services refuse the token with 503 until it can; try again later\n',
    ])
    expect(out).toMatch(
      /^verdict {4}valid, but for its status\nstatus {5}not known: the status list cannot be had\n/,
    )
    const json = JSON.parse((await verify([TOKEN, '--json'], { away: [LIST_URI] })).out)
    expect(json).toMatchObject({ valid: false, status: 'unknown', claims: CLAIMS })
  })

  it('exits with 3 when the keys cannot be had, and shows nothing', async () => {
    expect(await verify([TOKEN], { away: [JWKS_URL] })).toMatchObject({
      exitCode: 3,
      out: '',
      err:
        'error: keys_unavailable: The keys of the issuer are not available\n' +
        `hint: is ${ISSUER} running, and is that its URL?\n`,
    })
  })
})

describe('patmint verify, of a token that no service takes', () => {
  const stranger = createSigningKey('ES256', signingKey('ES256').kid)

  it.each([
    [
      'expired',
      () => signToken({ ...CLAIMS, exp: NOW_SECONDS - 6 }),
      'token_expired',
      'The token has expired',
      'patmint token gets another one',
    ],
    [
      'forged',
      async () => signToken(CLAIMS, {}, await stranger),
      'signature_invalid',
      'The signature of the token is not valid',
      null,
    ],
    [
      'unsigned',
      () => assembleToken({ alg: 'none', typ: 'at+jwt' }, CLAIMS, ''),
      'token_malformed',
      'The token is not a JWT',
      null,
    ],
    ['cut off', () => TOKEN.slice(0, 60), 'token_malformed', 'The token is not a JWT', null],
    ['no token at all', () => 'hello', 'token_malformed', 'The token is not a JWT', null],
    [
      'of another issuer',
      () => signToken({ ...CLAIMS, iss: 'https://other.example.com' }),
      'issuer_mismatch',
      'The token is from another issuer',
      'PATMINT_ISSUER must be the issuer exactly, as the token has it in iss',
    ],
  ])('exits with 1 and the code: %s', async (_name, make, code, description, hint) => {
    const token = await make()
    const { exitCode, out, err } = await verify([token])
    const hinted = hint === null ? '' : `hint: ${hint}\n`
    expect({ exitCode, out, err }).toEqual({
      exitCode: 1,
      out: '',
      err: `error: ${code}: ${description}\n${hinted}`,
    })
    const json = await verify([token, '--json'])
    expect([json.exitCode, JSON.parse(json.out)]).toEqual([1, { valid: false, code, description }])
  })

  it.each([
    [1, 'token_revoked', 'The credential behind the token was revoked'],
    [2, 'token_suspended', 'The credential behind the token is suspended'],
  ])('exits with 1 where the status list says %d', async (status, code, description) => {
    const { exitCode, out, err } = await verify([TOKEN], { statuses: [[7, status]] })
    expect([exitCode, out, err]).toEqual([1, '', `error: ${code}: ${description}\n`])
  })

  it('exits with 1 for an audience it is not for', async () => {
    const { exitCode, err } = await verify([TOKEN, '--audience', 'https://other.example.com'])
    expect([exitCode, err]).toEqual([
      1,
      'error: audience_mismatch: The token is for another audience\n' +
        'hint: name the audience that the token is for, or none to accept any\n',
    ])
  })
})

describe('patmint verify, used wrongly', () => {
  it('warns of a credential on the command line, without showing it or asking anybody', async () => {
    const err =
      'error: that is a credential, not a JWT, and every process of this machine can read a command line\n' +
      'hint: revoke it if others use this machine; patmint token takes it from PATMINT_TOKEN\n'
    const expected = { exitCode: 2, out: '', err, asked: [] }
    // Also one that was not copied whole, which is still most of a secret.
    for (const credential of [PAT, PAT.slice(0, 50), PAT.toUpperCase()])
      expect(await verify([credential])).toEqual(expected)
  })

  it('says that what was piped in is a credential', async () => {
    const err = 'error: that is a credential, not a JWT\nhint: patmint token swaps it for one\n'
    expect(await verify([], {}, PAT)).toEqual({ exitCode: 2, out: '', err, asked: [] })
  })

  it.each([`"${TOKEN}"`, `Bearer ${TOKEN}`])(
    'says of a JWT in other text that it is none, not that it is a credential',
    async (text) => {
      const err = 'error: token_malformed: The token is not a JWT\n'
      expect(await verify([], {}, text)).toEqual({ exitCode: 1, out: '', err, asked: [] })
    },
  )

  it('names every problem at once, and waits for nobody at a terminal', async () => {
    const fetch = () => Promise.reject(new Error('asked'))
    const { exitCode, out, err } = await runInside(['verify'], { environment: {}, fetch, readIn: null })
    expect({ exitCode, out, err }).toEqual({
      exitCode: 2,
      out: '',
      err:
        'error: PATMINT_ISSUER is empty: set PATMINT_ISSUER or pass --issuer URL\n' +
        'error: there is no JWT: pass it as an argument or on stdin\n',
    })
  })
})
