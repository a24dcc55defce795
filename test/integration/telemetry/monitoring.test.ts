// What docs/monitoring and docs/operations.md say of the metrics, held against those of a real server.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { describeMetrics, parseSamples, type Sample } from '../../support/metrics.ts'
import { readExpression } from '../../support/promql.ts'
import { newSecretKey, startServerProcess } from '../../support/server-process.ts'
import { createTestDatabase } from '../../support/test-database.ts'

interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly annotations?: { readonly summary: string; readonly runbook_url: string }
}
interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
}

const ALERTS = 'docs/monitoring/alerts.yaml'
const OPERATIONS = readFileSync('docs/operations.md', 'utf8')
const rules = (parse(readFileSync(ALERTS, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
)
const alerts = rules.filter(({ alert }) => alert !== undefined)
const { panels } = JSON.parse(readFileSync('docs/monitoring/grafana-dashboard.json', 'utf8')) as {
  panels: Panel[]
}

let text: string
let samples: Sample[]
beforeAll(async () => {
  const server = await startServerProcess({
    PATMINT_DATABASE_URL: await createTestDatabase(),
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_METRICS_PORT: '0',
  })
  await fetch(`${server.url}/healthz`)
  text = await (await fetch(String(server.metricsUrl))).text()
  samples = parseSamples(text)
  await server.stop()
})

/** The part of the runbook that begins with this heading. */
const sectionOf = (heading: string): string => {
  const [, section = ''] = OPERATIONS.split(`\n#### ${heading}\n`)
  return section.split(/\n#{1,4} /)[0] ?? ''
}

/** As GitHub makes anchors of headings. */
const toAnchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

describe('the table of metrics in docs/operations.md', () => {
  it('is that of /metrics', () => {
    const table = describeMetrics(text).filter(({ name }) => name.startsWith('patmint_'))
    const rows = table.map(
      ({ name, type, labels, help }) =>
        `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
    )
    expect(rows.length).toBeGreaterThan(20)
    expect(OPERATIONS.split('\n').filter((line) => line.startsWith('| `patmint_'))).toEqual(rows.sort())
  })
})

describe.each([
  ['alerts.yaml', rules.map(({ alert, record, expr }) => [alert ?? record, expr] as const)],
  [
    'grafana-dashboard.json',
    panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ],
])('every expression of %s', (_, expressions) => {
  it('is PromQL', () => {
    expect(expressions.length).toBeGreaterThan(15)
    expect(expressions.flatMap(([, expr]) => readExpression(expr).errors)).toEqual([])
  })

  it('reads only metrics that there are', () => {
    // `up` is Prometheus' own; what is recorded is made of what is read.
    const known = new Set([
      'up',
      ...rules.flatMap(({ record }) => record ?? []),
      ...samples.map(({ name }) => name),
    ])
    const unknown = expressions.flatMap(([title, expr]) =>
      readExpression(expr)
        .metrics.filter((name) => !known.has(name))
        .map((name) => `${title}: ${name}`),
    )
    expect(unknown).toEqual([])
  })
})

describe('every metric of Patmint', () => {
  it('stands in the dashboard', () => {
    const shown = new Set(
      panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => readExpression(expr).metrics)),
    )
    const bare = (name: string): string => name.replace(/_(bucket|sum|count)$/, '')
    const families = new Set(Array.from(shown, bare))
    const metrics = describeMetrics(text).filter(({ name }) => name.startsWith('patmint_'))
    expect(metrics.map(({ name }) => name).filter((name) => !families.has(name))).toEqual([])
  })
})

describe('an alert', () => {
  it.each(alerts.map((rule) => [rule.alert ?? '', rule.annotations?.runbook_url ?? ''] as const))(
    '%s has an entry in the runbook, with what it means, what to look at and what to do',
    (_, url) => {
      const [path, anchor] = url.split('#')
      expect(path).toBe('docs/operations.md')
      const headings = [...OPERATIONS.matchAll(/^#### (.+)$/gm)].map(([, heading = '']) => heading)
      const heading = headings.find((one) => toAnchor(one) === anchor)
      expect(heading).toBeDefined()
      expect(sectionOf(heading ?? '')).toMatch(/^\n\*\*Means\*\*.+\n\*\*Look at\*\*.+\n\*\*Do\*\*/s)
    },
  )

  it('is in no runbook entry without being in the rules', () => {
    const [, runbook = ''] = OPERATIONS.split('\n### Runbook\n')
    const [entries = ''] = runbook.split(/\n##? /)
    const headings = [...entries.matchAll(/^#### (.+)$/gm)].map(([, heading = '']) => toAnchor(heading))
    const named = new Set(alerts.map(({ annotations }) => annotations?.runbook_url.split('#')[1]))
    expect(headings.filter((anchor) => !named.has(anchor))).toEqual([])
  })
})

describe('the dashboard', () => {
  it('puts no panel on another, nor beyond its 24 columns', () => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(Math.max(...panels.map(({ gridPos }) => gridPos.x + gridPos.w))).toBe(24)
  })
})

describe('promtool', async () => {
  const run = promisify(execFile)
  const isInstalled = await run('promtool', ['--version']).then(
    () => true,
    () => false,
  )
  if (!isInstalled) process.stdout.write('promtool is not installed: its own checks are left to CI\n')

  it.runIf(isInstalled)('accepts the rules', async () => {
    expect((await run('promtool', ['check', 'rules', ALERTS])).stdout).toContain('SUCCESS: 22 rules found')
  })

  it.runIf(isInstalled)('finds that the alerts fire when they should', async () => {
    const { stdout } = await run('promtool', ['test', 'rules', 'test/integration/telemetry/alerts-fire.yaml'])
    expect(stdout).toContain('SUCCESS')
  })
})
