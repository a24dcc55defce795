import { describe, expect, it } from 'vitest'
import { runInside } from '../cli-fixture.ts'
import { findClosedOrigin, PAT } from '../token-endpoint-fixture.ts'
import { buildPreview, EFFECTIVE, HIT, POLICY, servePolicy } from './policy-api-fixture.ts'

const ORGANIZATION = { ...POLICY, level: 'organization', organization: 'acme', effective: EFFECTIVE }

const run = (args: readonly string[], api: ReturnType<typeof servePolicy>, more = {}) =>
  runInside(['policy', ...args], { fetch: api.fetch, ...more })

describe('patmint policy show', () => {
  it('prints the fields of an organization in human durations, and what is in force there', async () => {
    const api = servePolicy({ policy: ORGANIZATION })
    expect(await run(['show', '--organization', 'acme'], api)).toEqual({
      exitCode: 0,
      out: `field                 policy of acme        in force
max-lifetime          none                  365d (platform)
default-lifetime      none                  none
idle-timeout          60d                   60d (organization)
access-token-max-ttl  90s                   90s (organization)
max-active-tokens     10                    10
applies-to            all
exempt-role           break-glass, machine
`,
      err: '',
    })
    const url = 'https://patmint.example.com/api/v1/organizations/acme/policy'
    expect(api.calls).toEqual([{ method: 'GET', url, ifMatch: null, body: undefined }])
  })

  it('prints the answer of the server with --json', async () => {
    const { out } = await run(['show', '--json'], servePolicy({ policy: ORGANIZATION }))
    expect(out).toBe(`${JSON.stringify(ORGANIZATION)}\n`)
  })

  it('colours what a terminal shows, and nothing else', async () => {
    const paint = (style: string, text: string): string => `<${style}>${text}</${style}>`
    const { out } = await run(['show'], servePolicy(), { paint })
    expect(out).toMatch(/^<bold>field +policy of the platform +in force<\/bold>\nmax-lifetime +none\n/)
    const json = await run(['show', '--json'], servePolicy(), { paint })
    expect(json.out).toBe(`${JSON.stringify(POLICY)}\n`)
  })

  it('asks for an organization by its slug, whatever was typed', async () => {
    const api = servePolicy()
    await run(['show', '--organization', '../policy?x'], api)
    expect(api.calls[0]?.url).toBe('https://patmint.example.com/api/v1/organizations/..%2Fpolicy%3Fx/policy')
  })

  it.each([
    [
      { status: 401, code: 'unauthorized', title: 'Authentication is needed' },
      'error: unauthorized: Authentication is needed\n' +
        'hint: PATMINT_TOKEN may be expired, revoked, or made by another issuer than PATMINT_ISSUER\n',
      1,
    ],
    [
      { status: 403, code: 'forbidden', title: 'Not allowed', detail: `takes ${PAT}\nmore` },
      'error: forbidden: takes [redacted] more\n' +
        'hint: it takes policy:read, and policy:write for changes; the policy of the platform takes a platform ' +
        'admin, that of an organization is named with --organization\n',
      1,
    ],
    [
      { status: 404, code: 'not_found', title: 'Not found' },
      'error: not_found: Not found\nhint: there is no such thing, or PATMINT_TOKEN does not reach it\n',
      1,
    ],
    [
      { status: 404 },
      'error: https://patmint.example.com answered 404 without a problem document\n' +
        'hint: is PATMINT_ISSUER a Patmint server?\n',
      1,
    ],
    [{ status: 503 }, 'error: https://patmint.example.com answered 503\nhint: try again later\n', 3],
    [
      { status: 302 },
      'error: https://patmint.example.com is not answering as a token server: it answered 302\n' +
        'hint: set PATMINT_ISSUER to the issuer exactly, without redirects in between\n',
      3,
    ],
    [
      { status: 200, ...POLICY, max_lifetime_seconds: '90d' },
      'error: https://patmint.example.com is not answering as a token server: ' +
        'it answered without a policy and its version\n' +
        'hint: set PATMINT_ISSUER to the issuer exactly, without redirects in between\n',
      3,
    ],
  ])('tells an answer of %j on stderr', async (problem, err, exitCode) => {
    const fetch = async () => Response.json(problem, { status: problem.status, headers: { etag: '"x"' } })
    expect(await runInside(['policy', 'show'], { fetch })).toEqual({ exitCode, out: '', err })
  })

  it('exits 3 where nothing listens, and 2 without a credential', async () => {
    const issuer = await findClosedOrigin()
    const gone = await runInside(['policy', 'show', '--issuer', issuer], { fetch })
    expect([gone.exitCode, gone.err.split('\n')[0]]).toEqual([
      3,
      `error: cannot reach ${issuer}: ECONNREFUSED`,
    ])
    const api = servePolicy()
    const { exitCode, err } = await run(['show'], api, { environment: {} })
    expect([exitCode, err]).toEqual([
      2,
      'error: PATMINT_ISSUER is empty: set PATMINT_ISSUER or pass --issuer URL\n' +
        'error: PATMINT_TOKEN is empty: set it to a PAT (pat_…) or an API key (key_…)\n',
    ])
    expect(api.calls).toEqual([])
  })
})

describe('patmint policy preview', () => {
  const preview = buildPreview(12, 3, 14, 20)

  it('prints what a change would stop, most used first, and changes nothing', async () => {
    const api = servePolicy({ preview })
    const { exitCode, out, err } = await run(['preview', '--max-lifetime', '30d'], api)
    expect([exitCode, err]).toEqual([0, ''])
    expect(out.split('\n')).toEqual([
      'would stop      credentials',
      'now             12',
      'within 7 days   14',
      'within 30 days  20',
      'newly, now or within a day: 3 used in the last 30 days',
      '',
      'last use     stops      rule                     credential  name       owner',
      '2 hours ago  now        max_lifetime (platform)  pat_4f3a21  ci-deploy  jane@acme.test (acme)',
      'never        in 5 days  idle_timeout (platform)  key_0d1a21  nightly    API key (acme)',
      'and 18 more, less used',
      '',
    ])
    expect(api.calls.map(({ method, body }) => [method, body])).toEqual([
      ['GET', undefined],
      ['POST', { ...POLICY, max_lifetime_seconds: 2_592_000 }],
    ])
  })

  it('prints the whole answer with --json', async () => {
    const api = servePolicy({ preview })
    const { out } = await run(['preview', '--max-lifetime', '30d', '--json'], api)
    expect(JSON.parse(out)).toEqual(preview)
    expect(api.calls.at(-1)?.url).toMatch(/limit=200$/)
  })

  it('keeps what others wrote in its cell', async () => {
    const items = [{ ...HIT, name: `x\u001b[2J\ny ${PAT}`, owner: { id: 'u', name: 'Jane\u202e' } }]
    const hostile = { ...preview, items, stops_within_30_days: 1 }
    const { out } = await run(['preview', '--max-lifetime', '1d'], servePolicy({ preview: hostile }))
    expect(out).toContain('pat_4f3a21  x[2J y [redacted]  Jane (acme)\n')
  })
})
