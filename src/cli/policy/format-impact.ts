// What a policy would stop, for people: how much and when, and what would be missed most.

import { describeSpan } from '../describe-span.ts'
import { formatTable } from '../format-table.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Impact, ImpactItem } from './impact.ts'

/** As many as fit on a screen. */
const SHOWN = 20

/** Lines of text; one that says so when nothing would stop. */
export function formatImpact(impact: Impact, now: Date, paint: Surroundings['paint']): string {
  const { stopsNow, stopsWithin7Days, stopsWithin30Days, inUse, items } = impact
  if (stopsWithin30Days === 0) return 'nothing that works now would stop within 30 days\n'
  const counts = formatTable(
    [
      ['would stop', 'credentials'],
      ['now', String(stopsNow)],
      ['within 7 days', String(stopsWithin7Days)],
      ['within 30 days', String(stopsWithin30Days)],
    ],
    paint,
  )
  const used = inUse > 0 ? `newly, now or within a day: ${inUse} used in the last 30 days\n` : ''
  const rows = items.slice(0, SHOWN).map((item) => formatItem(item, now))
  const table = formatTable([['last use', 'stops', 'rule', 'credential', 'name', 'owner'], ...rows], paint)
  const others = stopsWithin30Days - rows.length
  return `${counts}${used}\n${table}${others > 0 ? `and ${others} more, less used\n` : ''}`
}

const formatItem = (item: ImpactItem, now: Date): string[] => [
  item.lastUsedAt === null ? 'never' : `${describeSpan(secondsBetween(item.lastUsedAt, now))} ago`,
  item.stopsAt <= now ? 'now' : `in ${describeSpan(secondsBetween(now, item.stopsAt))}`,
  `${item.rule} (${item.level})`,
  item.prefix,
  item.name,
  `${item.owner} (${item.organization})`,
]

const secondsBetween = (from: Date, until: Date): number => (until.getTime() - from.getTime()) / 1000
