// PromQL by the grammar of Prometheus' own user interface: whether an expression is one, and which metrics it reads.

import { parser } from '@prometheus-io/lezer-promql'

export interface Expression {
  /** Parts that the grammar has no place for. */
  readonly errors: readonly string[]
  readonly metrics: readonly string[]
}

/** Reads an expression. Grafana's variables stand for what Grafana would put there. */
export function readExpression(text: string): Expression {
  const source = text.replaceAll('$__rate_interval', '5m')
  const errors: string[] = []
  const metrics: string[] = []
  parser.parse(source).iterate({
    enter: ({ name, type, from, to, node }) => {
      const part = source.slice(from, to)
      if (type.isError) errors.push(`${source} at ${from}: ${part}`)
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') metrics.push(part)
    },
  })
  return { errors, metrics }
}
