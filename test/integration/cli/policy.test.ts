// `patmint policy` as a process against the real server, with and without somebody at a terminal.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { runNode } from '../../support/server-process.ts'
import { hasTerminal, runAtTerminal } from '../../support/terminal.ts'

const LAUNCHER = resolve('bin/patmint.js')
const OF_ACME = ['--organization', 'acme']
const DAY_MS = 86_400_000

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY_MS)

/** Makes a credential as old as that, and used yesterday. */
const age = (pat: string, days: number) =>
  sql`update credentials set created_at = ${daysAgo(days)}, last_used_at = ${daysAgo(1)}
    where id = ${pat.slice(4, 20)}`.execute(acme.db)

/** The organization's policy has no rules; Jane's PAT is 60 days old and was used yesterday. */
beforeEach(async () => {
  await age(acme.janePat, 60)
  await putPolicy({ max_lifetime_seconds: null })
})

const policyOf = async () => (await callApi(acme.url, acme.adaPat, 'GET', '/organizations/acme/policy')).json

const NO_RULES = {
  max_lifetime_seconds: null,
  default_lifetime_seconds: null,
  idle_timeout_seconds: null,
  access_token_max_ttl_seconds: null,
  max_active_tokens: 10,
  applies_to: 'all',
  exempt_roles: [],
}

async function putPolicy(changes: object): Promise<void> {
  const body = { ...NO_RULES, access_token_max_ttl_seconds: 600, ...changes }
  const { status, text } = await callApi(acme.url, acme.adaPat, 'PUT', '/organizations/acme/policy', body)
  expect([status, status === 200 ? '' : text]).toEqual([200, ''])
}

const variables = (token = acme.adaPat) => ({ PATMINT_ISSUER: acme.url, PATMINT_TOKEN: token })

async function patmint(args: readonly string[], token = acme.adaPat) {
  const { code, stdout, stderr } = await runNode([LAUNCHER, ...args], variables(token))
  expect(stdout + stderr).not.toContain(token)
  return { exitCode: code, out: stdout, err: stderr }
}

const janeStatus = async (): Promise<number> =>
  (await requestExchange(acme.url, { subject_token: acme.janePat, audience: API })).status

const QUESTION = 'Stop 1 credential used in the last 30 days, now or within a day? [y/N] '
const SET = ['policy', 'set', ...OF_ACME, '--max-lifetime', '30d']

describe('patmint policy, of a script', () => {
  it('shows what is said and what is in force', async () => {
    const { exitCode, out, err } = await patmint(['policy', 'show', ...OF_ACME])
    expect([exitCode, err]).toEqual([0, ''])
    expect(out).toBe(
      'field                 policy of acme  in force\n' +
        'max-lifetime          none            365d (platform)\n' +
        'default-lifetime      none            365d (platform)\n' +
        'idle-timeout          none            none\n' +
        'access-token-max-ttl  10m             10m (organization)\n' +
        'max-active-tokens     10              10 (platform)\n' +
        'applies-to            all\n' +
        'exempt-role           none\n',
    )
    const { out: json } = await patmint(['policy', 'show', ...OF_ACME, '--json'])
    expect(JSON.parse(json)).toEqual(await policyOf())
  })

  it.runIf(existsSync('/dev/full'))(
    'says that the policy was changed, where its answer cannot be written',
    async () => {
      const args = [LAUNCHER, 'policy', 'set', ...OF_ACME, '--max-active-tokens', '9']
      const toFull = ['-c', 'exec "$0" "$@" > /dev/full', process.execPath, ...args]
      const env = { ...process.env, ...variables() }
      const run = promisify(execFile)('sh', toFull, { env })
      const { code, stderr: err } = await run.catch((error) => error)
      expect([code, err.split('\n').slice(-3)]).toEqual([
        3,
        ['the policy of acme was changed', 'error: stdout cannot be written: ENOSPC', ''],
      ])
    },
  )

  it('previews what would stop, and stops nothing', async () => {
    const { exitCode, out, err } = await patmint(['policy', 'preview', ...OF_ACME, '--max-lifetime', '30d'])
    expect([exitCode, err]).toEqual([0, ''])
    expect(out).toMatch(/^would stop +credentials\nnow +1\nwithin 7 days +1\n/)
    expect(out).toMatch(
      /\n1 day ago +now +max_lifetime \(organization\) +pat_[0-9a-f]{6} +laptop +jane@acme.test \(acme\)\n/,
    )
    expect([await janeStatus(), (await policyOf())['max_lifetime_seconds']]).toEqual([200, null])
  })

  it('is refused a change that stops what is in use, and makes it with --yes; loosening gives it back', async () => {
    const before = await policyOf()
    const refused = await patmint(SET)
    expect([refused.exitCode, refused.out]).toEqual([1, ''])
    expect(refused.err).toMatch(
      /\nerror: this would stop 1 credential used in the last 30 days, now or within a day; nothing was changed\n/,
    )
    expect(await policyOf()).toEqual(before)

    const made = await patmint([...SET, '--yes', '--json'])
    expect([made.exitCode, JSON.parse(made.out)]).toEqual([0, await policyOf()])
    expect(made.err).toMatch(/\nthe policy of acme was changed\n$/)
    expect(await policyOf()).toMatchObject({
      max_lifetime_seconds: 2_592_000,
      access_token_max_ttl_seconds: 600,
    })
    expect(await janeStatus()).toBe(400)

    const loosened = await patmint(['policy', 'set', ...OF_ACME, '--max-lifetime', '90d'])
    expect([loosened.exitCode, loosened.err]).toEqual([
      0,
      'nothing that works now would stop within 30 days\nthe policy of acme was changed\n',
    ])
    expect(await janeStatus()).toBe(200)
  })

  it('leaves what it does not name as it is, also in an organization that had no policy', async () => {
    const call = (method: string, path: string, body?: object) =>
      callApi(acme.url, acme.adminToken, method, path, body)
    await call('POST', '/organizations', { slug: 'beta', name: 'Beta' })
    const { json: platform } = await call('GET', '/policy')
    const fields = Object.keys(NO_RULES).map((name) => [name, platform[name]])
    await call('PUT', '/policy', { ...Object.fromEntries(fields), max_active_tokens: 25 })
    const set = ['policy', 'set', '--organization', 'beta', '--max-lifetime', '90d', '--json']
    const { exitCode, out } = await patmint(set, acme.adminToken)
    await call('PUT', '/policy', Object.fromEntries(fields))
    expect([exitCode, JSON.parse(out)]).toMatchObject([
      0,
      { max_active_tokens: null, effective: { max_active_tokens: { value: 25, level: 'platform' } } },
    ])
  })

  it('needs the right: an analyst is told what it takes, an organization admin reaches no platform', async () => {
    const analyst = await patmint(['policy', 'show', ...OF_ACME], acme.janePat)
    expect([analyst.exitCode, analyst.out]).toEqual([1, ''])
    expect(analyst.err).toMatch(/^error: forbidden: .*\nhint: it takes policy:read/)
    const ada = await patmint(['policy', 'set', '--max-lifetime', '1d', '--yes'])
    expect([ada.exitCode, ada.out]).toEqual([1, ''])
    expect(ada.err).toMatch(/^error: forbidden: /)
  })

  it('is told by the server what contradicts itself', async () => {
    const { exitCode, err } = await patmint([...SET, '--default-lifetime', '31d', '--yes'])
    expect([exitCode, err]).toEqual([
      1,
      'error: invalid_request: default_lifetime_seconds: is longer than max_lifetime_seconds\n',
    ])
  })
})

describe('the history of a policy', () => {
  it('is shown, newest first, and a version restored as every change is made', async () => {
    await putPolicy({ max_lifetime_seconds: 30 * 86_400, confirm: 1 })
    const strict = String((await policyOf())['version'])
    await putPolicy({ idle_timeout_seconds: 60 * 86_400, applies_to: 'new', exempt_roles: ['admin'] })

    const { exitCode, out, err } = await patmint(['policy', 'history', ...OF_ACME])
    expect([exitCode, err]).toEqual([0, ''])
    const [header, last, before] = out.split('\n')
    expect(header).toMatch(/^number +made +by +stopped +in use +says$/)
    expect(last).toMatch(
      / 0 +0 +idle-timeout 60d; access-token-max-ttl 10m; max-active-tokens 10; applies-to new; exempt-role admin$/,
    )
    expect(before).toMatch(
      new RegExp(`^${strict} +\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}Z +[0-9a-f-]{36} +1 +1 +max-lifetime 30d; `),
    )
    const json = JSON.parse((await patmint(['policy', 'history', ...OF_ACME, '--json'])).out) as {
      items: object[]
    }
    expect(json.items[1]).toMatchObject({ number: Number(strict), stopped_in_use: 1 })

    const restore = ['policy', 'restore', strict, ...OF_ACME]
    const refused = await patmint(restore)
    expect([refused.exitCode, refused.out]).toEqual([1, ''])
    expect(refused.err).toMatch(/^would stop +credentials\nnow +1\n/)
    expect(refused.err).toContain(
      'error: this would stop 1 credential used in the last 30 days, now or within a day; nothing was changed\n' +
        'hint: there is no terminal to ask at: pass --yes to change the policy all the same\n',
    )
    expect(await janeStatus()).toBe(200)
    const restored = await patmint([...restore, '--yes'])
    expect([restored.exitCode, restored.err.split('\n').at(-2)]).toEqual([
      0,
      'the policy of acme was changed',
    ])
    expect(restored.out).toMatch(/\nmax-lifetime +30d +30d \(organization\)\n/)
    expect(await janeStatus()).toBe(400)

    const again = await patmint(['policy', 'restore', String((await policyOf())['version']), ...OF_ACME])
    expect([again.exitCode, again.err.split('\n').at(-2)]).toEqual([
      0,
      'the policy says so already; nothing was changed',
    ])
  })

  it('says that there is more than it shows, and shows all when asked', async () => {
    const history = async (...args: string[]) => {
      const { exitCode, out, err } = await patmint(['policy', 'history', ...OF_ACME, ...args])
      return [exitCode, out.split('\n').length - 2, err]
    }
    const all = Number((await policyOf())['version'])
    expect(await history('--limit', '2')).toEqual([
      0,
      2,
      'these are the newest 2; --limit <number> or --all shows more\n',
    ])
    expect(await history('--all')).toEqual([0, all, ''])
    expect(await history('--limit', String(all))).toEqual([0, all, ''])
  })

  it('has no version that never was', async () => {
    const unknown = await patmint(['policy', 'restore', '4711', ...OF_ACME])
    expect([unknown.exitCode, unknown.err.split('\n')[0]]).toEqual([1, 'error: not_found: Not found'])
    const wrong = await patmint(['policy', 'restore', 'first', ...OF_ACME])
    expect([wrong.exitCode, wrong.err]).toEqual([
      2,
      'error: first is no number of a version\nhint: patmint policy history lists them\n',
    ])
  })
})

describe('patmint policy, at a terminal', () => {
  const start = () => runAtTerminal([LAUNCHER, ...SET], variables())

  it('asks, and changes nothing on no, on Ctrl-C and on Ctrl-D', async ({ skip }) => {
    if (!hasTerminal()) skip('this machine has no script of util-linux')
    const before = await policyOf()
    for (const typed of ['n\r', '\u0003', '\u0004']) {
      const run = start()
      await run.waitFor(QUESTION)
      run.type(typed)
      const { screen, exitCode } = await run.end
      expect([exitCode, screen.replaceAll('\r', '')]).toEqual([
        1,
        expect.stringMatching(/\nnothing was changed\n$/),
      ])
      expect(screen).not.toContain(acme.adaPat)
    }
    expect(await policyOf()).toEqual(before)
  })

  it('changes it on yes, and shows it in colours that no pipe gets', async ({ skip }) => {
    if (!hasTerminal()) skip('this machine has no script of util-linux')
    const run = start()
    await run.waitFor(QUESTION)
    run.type('y\r')
    const { screen, exitCode } = await run.end
    expect([exitCode, await janeStatus()]).toEqual([0, 400])
    expect(screen).toContain('the policy of acme was changed')
    expect(screen).toContain('\u001b[1mfield ')
    expect((await patmint(['policy', 'show', ...OF_ACME])).out).not.toContain('\u001b')
  })

  it('tells that somebody changed the policy while it asked', async ({ skip }) => {
    if (!hasTerminal()) skip('this machine has no script of util-linux')
    const run = start()
    await run.waitFor(QUESTION)
    await putPolicy({ access_token_max_ttl_seconds: 300 })
    run.type('y\r')
    const { screen, exitCode } = await run.end
    expect(exitCode).toBe(1)
    expect(screen).toContain('error: somebody else has changed the policy meanwhile; nothing was changed')
    expect([await janeStatus(), (await policyOf())['max_lifetime_seconds']]).toEqual([200, null])
  })

  it('asks again when by now more would stop than it asked about', async ({ skip }) => {
    if (!hasTerminal()) skip('this machine has no script of util-linux')
    const run = start()
    await run.waitFor(QUESTION)
    await age(acme.samPat, 60)
    run.type('y\r')
    await run.waitFor('that number has changed meanwhile')
    await run.waitFor('Stop 2 credentials used in the last 30 days, now or within a day? [y/N] ')
    expect((await policyOf())['max_lifetime_seconds']).toBeNull()
    run.type('y\r')
    expect((await run.end).exitCode).toBe(0)
    expect([await janeStatus(), (await policyOf())['max_lifetime_seconds']]).toEqual([400, 2_592_000])
    await age(acme.samPat, 0)
  })
})

describe('patmint token', () => {
  it('warns of a credential that soon stops working, whoever says so, and still prints its token', async () => {
    const pat = await acme.issue('sam@acme.test', { name: 'ends soon', expires_in_seconds: 6 * 86_400 + 60 })
    const { exitCode, out, err } = await patmint(['token', '--audience', API], pat)
    expect([exitCode, err.split('\n')[0]]).toEqual([
      0,
      'warning: the credential in PATMINT_TOKEN stops working in 6 days',
    ])
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    await putPolicy({ max_lifetime_seconds: 70 * 86_400 })
    const janes = await patmint(['token', '--audience', API], acme.janePat)
    expect(janes.err).toMatch(/stops working in 9 days\n/)
    await putPolicy({ idle_timeout_seconds: 13 * 86_400 })
    expect((await patmint(['token', '--audience', API], acme.janePat)).err).toBe('')
  })
})
