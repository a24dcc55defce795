import { describe, expect, it } from 'vitest'
import { ENVIRONMENT, runInside } from './cli-fixture.ts'
import { JWT, PAT, RESPONSE } from './token-endpoint-fixture.ts'

const EMPTY_ISSUER = 'error: PATMINT_ISSUER is empty: set PATMINT_ISSUER or pass --issuer URL\n'
const EMPTY_TOKEN = 'error: PATMINT_TOKEN is empty: set it to a PAT (pat_…) or an API key (key_…)\n'
const BAD_TOKEN = 'error: PATMINT_TOKEN is not a PAT or an API key: was it copied whole?\n'

/** Runs the CLI against a server that would always say yes; `asked` are the URLs it was asked at. */
async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = ENVIRONMENT,
  response: object = RESPONSE,
) {
  const asked: string[] = []
  const fetch = async (url: string) => {
    asked.push(url)
    return Response.json(response)
  }
  return { ...(await runInside(args, { environment, fetch })), asked }
}

const asked = ['https://patmint.example.com/oauth2/token']

describe('patmint token', () => {
  it('prints the token and nothing else', async () => {
    expect(await run(['token'])).toEqual({ exitCode: 0, out: `${JWT}\n`, err: '', asked })
  })

  it('prints the response as one line of JSON with --json', async () => {
    expect(await run(['token', '--json'])).toEqual({
      exitCode: 0,
      out: `${JSON.stringify(RESPONSE)}\n`,
      err: '',
      asked,
    })
  })

  it('takes --issuer before PATMINT_ISSUER', async () => {
    const result = await run(['token', '--issuer', 'https://other.example.com/'])
    expect(result.asked).toEqual(['https://other.example.com/oauth2/token'])
  })

  it('forgives white space around the credential', async () => {
    expect((await run(['token'], { ...ENVIRONMENT, PATMINT_TOKEN: ` ${PAT}\n` })).exitCode).toBe(0)
  })

  it('names every problem at once, and asks nobody', async () => {
    const expected = { exitCode: 2, out: '', err: EMPTY_ISSUER + EMPTY_TOKEN, asked: [] }
    expect(await run(['token'], {})).toEqual(expected)
    expect(await run(['token'], { PATMINT_ISSUER: '', PATMINT_TOKEN: '' })).toEqual(expected)
  })

  it.each([
    ['one character short', PAT.slice(0, -1)],
    ['a wrong checksum', PAT.slice(0, -1) + (PAT.endsWith('0') ? '1' : '0')],
    ['upper case', PAT.toUpperCase()],
    ['something else entirely', JWT],
    ['two of them', `${PAT} ${PAT}`],
  ])('refuses a credential that is %s, without showing it or asking anybody', async (_name, token) => {
    const result = await run(['token'], { ...ENVIRONMENT, PATMINT_TOKEN: token })
    expect(result).toEqual({ exitCode: 2, out: '', err: BAD_TOKEN, asked: [] })
  })

  it.each([
    ['http://patmint.example.com', 'must use https (plain http is for loopback hosts only)'],
    ['patmint.example.com', 'must be an absolute http(s) URL'],
    ['https://patmint.example.com?x', 'must have no query and no fragment'],
    ['https://jane:secret@patmint.example.com', 'must not hold a user name or password'],
  ])('sends no credential to the issuer %s', async (issuer, problem) => {
    const refused = { exitCode: 2, out: '', asked: [] }
    const fromVariable = await run(['token'], { ...ENVIRONMENT, PATMINT_ISSUER: issuer })
    expect(fromVariable).toEqual({ ...refused, err: `error: PATMINT_ISSUER ${problem}\n` })
    expect(await run(['token', '--issuer', issuer])).toEqual({
      ...refused,
      err: `error: --issuer ${problem}\n`,
    })
  })
})

describe('the warning of patmint token', () => {
  const DAY = 86_400
  const warn = (leftSeconds: number | undefined, variable?: string, ...args: string[]) =>
    run(
      ['token', ...args],
      { ...ENVIRONMENT, ...(variable === undefined ? {} : { PATMINT_WARN_BEFORE: variable }) },
      { ...RESPONSE, ...(leftSeconds === undefined ? {} : { subject_token_expires_in: leftSeconds }) },
    )
  const warning = (span: string): string =>
    `warning: the credential in PATMINT_TOKEN stops working in ${span}\n` +
    'hint: rotate it before then, which a credential does by itself: POST /api/v1/tokens/{id}/rotate; ' +
    'PATMINT_WARN_BEFORE=0 for no warning\n'

  it('comes on stderr, with the token on stdout and exit code 0', async () => {
    expect(await warn(6 * DAY + 5000)).toEqual({
      exitCode: 0,
      out: `${JWT}\n`,
      err: warning('6 days'),
      asked,
    })
    const { out, err } = await warn(3600, undefined, '--json')
    expect(JSON.parse(out)).toEqual({ ...RESPONSE, subject_token_expires_in: 3600 })
    expect(err).toBe(warning('1 hour'))
  })

  it.each([
    [14 * DAY - 1, undefined, '13 days'],
    [14 * DAY - 1, '', '13 days'],
    [DAY, '25h', '1 day'],
    [7199, '2h', '1 hour'],
    [119, '1d', '1 minute'],
    [59, '1m', 'less than a minute'],
  ])('with %d seconds left and PATMINT_WARN_BEFORE=%s says %s', async (left, variable, span) => {
    expect((await warn(left, variable)).err).toBe(warning(span))
  })

  it.each([
    [14 * DAY, undefined],
    [7200, '2h'],
    [1, '0'],
    [1, '0s'],
    [undefined, undefined],
  ])('with %s seconds left and PATMINT_WARN_BEFORE=%s does not come', async (left, variable) => {
    expect((await warn(left, variable)).err).toBe('')
  })

  it.each(['14', 'never', '2w', '-1d'])(
    'refuses PATMINT_WARN_BEFORE=%s before any network',
    async (variable) => {
      const problem = 'error: PATMINT_WARN_BEFORE is no duration such as 12h or 14d, and not 0 for never\n'
      expect(await warn(1, variable)).toEqual({ exitCode: 2, out: '', err: problem, asked: [] })
      expect((await run(['token'], { PATMINT_WARN_BEFORE: variable })).err).toBe(
        EMPTY_ISSUER + EMPTY_TOKEN + problem,
      )
    },
  )
})

describe('the command line', () => {
  it.each([
    [['token', '--nonsense'], "error: unknown option '--nonsense'\n"],
    [['token', '--audience'], "error: option '--audience <uri>' argument missing\n"],
    [['nonsense'], "error: unknown command 'nonsense'\n"],
    [['token', 'extra'], "error: too many arguments for 'token'. Expected 0 arguments but got 1: extra.\n"],
    [['token', `--token=${PAT}`], "error: unknown option '--token=[redacted]'\n"],
    [[PAT], "error: unknown command '[redacted]'\n"],
    [['token', PAT], "error: too many arguments for 'token'. Expected 0 arguments but got 1: [redacted].\n"],
  ])('exits 2 for %j', async (args, err) => {
    expect(await run(args)).toEqual({ exitCode: 2, out: '', err, asked: [] })
  })

  it('exits 2 with the help on stderr when no command is given', async () => {
    const result = await run([])
    expect([result.exitCode, result.out]).toEqual([2, ''])
    expect(result.err).toMatch(/^Usage: patmint /)
  })

  it.each([[['--help']], [['help']], [['token', '--help']], [['help', 'token']]])(
    'answers %j on stdout',
    async (args) => {
      const result = await run(args, {})
      expect([result.exitCode, result.err]).toEqual([0, ''])
      expect(result.out).toMatch(/^Usage: patmint /)
    },
  )

  it('has no option that takes a credential', async () => {
    const { out } = await run(['token', '--help'], {})
    const options = out.match(/--[a-z-]+/g)
    expect(new Set(options)).toEqual(new Set(['--audience', '--scope', '--issuer', '--json', '--help']))
  })
})
