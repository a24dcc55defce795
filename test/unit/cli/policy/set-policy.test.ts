import { describe, expect, it } from 'vitest'
import { runInside } from '../cli-fixture.ts'
import { PAT } from '../token-endpoint-fixture.ts'
import { buildPreview, NOTHING_STOPS, POLICY, servePolicy } from './policy-api-fixture.ts'

const URL = 'https://patmint.example.com/api/v1/policy'
const DAY = 86_400

const set = (api: ReturnType<typeof servePolicy>, args: readonly string[], more = {}) =>
  runInside(['policy', 'set', ...args], { fetch: api.fetch, ...more })

const methods = ({ calls }: ReturnType<typeof servePolicy>): string[] => calls.map(({ method }) => method)

const TABLE = `field                 policy of the platform  in force
max-lifetime          90d
default-lifetime      none
idle-timeout          60d
access-token-max-ttl  90s
max-active-tokens     10
applies-to            all
exempt-role           break-glass, machine
`
const NOTHING = 'nothing that works now would stop within 30 days\n'
const CHANGED = 'the policy of the platform was changed\n'
const IMPACT = `would stop      credentials
now             12
within 7 days   14
within 30 days  20
newly, now or within a day: 3 used in the last 30 days

last use     stops      rule                     credential  name       owner
2 hours ago  now        max_lifetime (platform)  pat_4f3a21  ci-deploy  jane@acme.test (acme)
never        in 5 days  idle_timeout (platform)  key_0d1a21  nightly    API key (acme)
and 18 more, less used
`

describe('patmint policy set', () => {
  it('changes the fields named on what it read, previewed first, and prints the policy', async () => {
    const api = servePolicy()
    const result = await set(api, ['--max-lifetime', '90d'])
    expect(result).toEqual({ exitCode: 0, out: TABLE, err: NOTHING + CHANGED })
    const wanted = { ...POLICY, max_lifetime_seconds: 90 * DAY }
    expect(api.calls).toEqual([
      { method: 'GET', url: URL, ifMatch: null, body: undefined },
      { method: 'POST', url: `${URL}/preview?limit=200`, ifMatch: null, body: wanted },
      { method: 'PUT', url: URL, ifMatch: '"first"', body: wanted },
    ])
    expect([...api.tokens]).toEqual([`Bearer ${PAT}`])
  })

  it('takes every field, and none for no rule', async () => {
    const api = servePolicy()
    const args =
      '--max-lifetime 12h --default-lifetime 15m --idle-timeout none --access-token-max-ttl 300s ' +
      '--max-active-tokens 3 --applies-to new --exempt-role owner --exempt-role root --organization acme --json'
    const { exitCode, out } = await set(api, args.split(' '))
    const changed = {
      max_lifetime_seconds: 43_200,
      default_lifetime_seconds: 900,
      idle_timeout_seconds: null,
      access_token_max_ttl_seconds: 300,
      max_active_tokens: 3,
      applies_to: 'new',
      exempt_roles: ['owner', 'root'],
    }
    expect([exitCode, JSON.parse(out)]).toEqual([0, { ...changed, version: 2 }])
    expect(api.calls.at(-1)).toMatchObject({
      url: 'https://patmint.example.com/api/v1/organizations/acme/policy',
      body: changed,
    })
  })

  it('empties the list of exempt roles by none', async () => {
    const api = servePolicy()
    await set(api, ['--exempt-role', 'none'])
    expect(api.calls.at(-1)?.body).toEqual({ ...POLICY, exempt_roles: [] })
  })

  it('changes nothing where the policy says so already', async () => {
    const api = servePolicy()
    const { exitCode, err } = await set(api, ['--idle-timeout', '1440h', '--max-lifetime', 'none'])
    expect([exitCode, err]).toEqual([0, 'the policy says so already; nothing was changed\n'])
    expect(methods(api)).toEqual(['GET'])
  })
})

describe('a change that stops credentials in use', () => {
  const preview = buildPreview(12, 3, 14, 20)
  const args = ['--max-lifetime', '30d']
  const wanted = { ...POLICY, max_lifetime_seconds: 30 * DAY }

  it('is refused where nobody can be asked, with the way out', async () => {
    const api = servePolicy({ preview })
    expect(await set(api, args)).toEqual({
      exitCode: 1,
      out: '',
      err:
        `${IMPACT}error: this would stop 3 credentials used in the last 30 days, now or within a day; nothing was changed\n` +
        'hint: there is no terminal to ask at: pass --yes to change the policy all the same\n',
    })
    expect(methods(api)).toEqual(['GET', 'POST'])
  })

  it('is made with --yes, confirming as many as were previewed', async () => {
    const api = servePolicy({ preview })
    const { exitCode, err } = await set(api, [...args, '--yes'])
    expect([exitCode, err]).toEqual([0, IMPACT + CHANGED])
    expect(api.calls.at(-1)).toEqual({
      method: 'PUT',
      url: URL,
      ifMatch: '"first"',
      body: { ...wanted, confirm: 3 },
    })
  })

  it.each(['y', 'Y', 'yes', ' YES '])('is made when the person at the terminal says %j', async (answer) => {
    const api = servePolicy({ preview })
    const asked: string[] = []
    const ask = async (question: string) => {
      asked.push(question)
      return answer
    }
    expect((await set(api, args, { ask })).exitCode).toBe(0)
    expect(asked).toEqual(['Stop 3 credentials used in the last 30 days, now or within a day? [y/N] '])
    expect(api.calls.at(-1)?.body).toEqual({ ...wanted, confirm: 3 })
  })

  it.each(['', 'n', 'no', 'yep', 'y es', null])('is not when they say %j', async (answer) => {
    const api = servePolicy({ preview })
    const result = await set(api, args, { ask: async () => answer })
    expect(result).toEqual({ exitCode: 1, out: '', err: `${IMPACT}nothing was changed\n` })
    expect(methods(api)).toEqual(['GET', 'POST'])
  })

  it('asks nobody when what stops is in no use, and confirms nothing', async () => {
    const api = servePolicy({ preview: buildPreview(1, 0, 1, 1) })
    const { exitCode } = await set(api, args, { ask: () => Promise.reject(new Error('asked')) })
    expect(exitCode).toBe(0)
    expect(api.calls.at(-1)?.body).toEqual(wanted)
  })

  it('is asked for one credential in the singular', async () => {
    const { err } = await set(servePolicy({ preview: buildPreview(1, 1, 1, 1) }), args)
    expect(err).toContain('this would stop 1 credential used in the last 30 days, now or within a day;')
  })
})

describe('a change that stops the credential it is made with', () => {
  const OWN =
    'the credential in PATMINT_TOKEN would stop within a day: it could not change the policy back then\n'

  it('says so, whether or not it is among those shown', async () => {
    const preview = buildPreview(1, 0, 1, 1)
    const stopping = await set(servePolicy({ preview: { ...preview, stops_caller: true } }), [
      '--max-lifetime',
      '30d',
    ])
    expect(stopping.err).toContain(OWN + CHANGED)
    const { err } = await set(servePolicy({ preview }), ['--max-lifetime', '30d'])
    expect(err).not.toContain(OWN)
  })
})

describe('a change that somebody or something came before', () => {
  const AGAIN = 'hint: run the same command again to see it as it is now\n'

  it('is told when the policy was changed meanwhile', async () => {
    const api = servePolicy({ refusal: { status: 412, code: 'precondition_failed' } })
    expect(await set(api, ['--max-lifetime', '90d'])).toEqual({
      exitCode: 1,
      out: '',
      err: `${NOTHING}error: somebody else has changed the policy meanwhile; nothing was changed\n${AGAIN}`,
    })
  })

  it('is told when more is in use than was confirmed, and not confirmed anew, even with --yes', async () => {
    const refusal = { status: 409, code: 'confirmation_required', count: 4 }
    const api = servePolicy({ preview: NOTHING_STOPS, refusal })
    expect(await set(api, ['--max-lifetime', '90d', '--yes'])).toEqual({
      exitCode: 1,
      out: '',
      err:
        `${NOTHING}error: by now it would stop 4 credentials used in the last 30 days, now or within a day; nothing was changed\n` +
        AGAIN,
    })
    expect(methods(api)).toEqual(['GET', 'POST', 'PUT'])
  })

  it('is asked about anew where somebody can be, until they say no', async () => {
    const refusal = { status: 409, code: 'confirmation_required', count: 4 }
    const api = servePolicy({ preview: buildPreview(12, 3, 14, 20), refusal })
    const answers = ['y', 'y', 'n']
    const asked: string[] = []
    const ask = async (question: string) => {
      asked.push(question)
      return answers.shift() ?? null
    }
    const { exitCode, err } = await set(api, ['--max-lifetime', '90d'], { ask })
    const changed = 'that number has changed meanwhile\n'
    expect([exitCode, err]).toEqual([1, `${IMPACT}${changed}${changed}nothing was changed\n`])
    expect(asked.map((question) => question.slice(0, 7))).toEqual(['Stop 3 ', 'Stop 4 ', 'Stop 4 '])
    expect(api.calls.slice(2).map(({ body }) => body)).toMatchObject([{ confirm: 3 }, { confirm: 4 }])
  })

  it('is told in the words of the server otherwise', async () => {
    const detail = 'default_lifetime_seconds: is longer than max_lifetime_seconds'
    const api = servePolicy({ refusal: { status: 400, code: 'invalid_request', detail } })
    const { exitCode, err } = await set(api, ['--max-lifetime', '90d'])
    expect([exitCode, err]).toEqual([1, `${NOTHING}error: invalid_request: ${detail}\n`])
  })
})

describe('a wrong call', () => {
  const MUST = 'It must be a duration such as 15m, 12h or 90d, or none for no rule.\n'

  it.each([
    [['--max-lifetime', '90'], `error: option '--max-lifetime <duration>' argument '90' is invalid. ${MUST}`],
    [['--idle-timeout', '0d'], `error: option '--idle-timeout <duration>' argument '0d' is invalid. ${MUST}`],
    [
      ['--max-active-tokens', '0'],
      "error: option '--max-active-tokens <number>' argument '0' is invalid. It must be a number of at least 1, or none for no rule of an organization.\n",
    ],
    [
      ['--applies-to', 'some'],
      "error: option '--applies-to <which>' argument 'some' is invalid. Allowed choices are all, new.\n",
    ],
    [
      ['--exempt-role', 'a', '--exempt-role', 'none'],
      "error: option '--exempt-role <name>' argument 'none' is invalid. none stands alone.\n",
    ],
    [
      ['--exempt-role', 'none', '--exempt-role', 'a'],
      "error: option '--exempt-role <name>' argument 'a' is invalid. none stands alone.\n",
    ],
    [[], 'error: no field is named\nhint: patmint policy set --help lists them\n'],
  ])('%j exits 2 and asks nobody', async (args, err) => {
    const api = servePolicy()
    expect(await set(api, args)).toEqual({ exitCode: 2, out: '', err })
    expect(api.calls).toEqual([])
  })
})
