// How Postgres goes about a statement, read from its EXPLAIN.

export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly Plans?: readonly PlanNode[]
}

/** A row of `explain (format json)`. */
export interface ExplainRow {
  readonly 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }]
}

const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)]

/** Every node of a plan that reads a table or an index. */
export const listReaders = ([row]: readonly ExplainRow[]): PlanNode[] =>
  (row?.['QUERY PLAN'] ?? [])
    .flatMap(({ Plan }) => flatten(Plan))
    .filter((node) => node['Relation Name'] !== undefined || node['Index Name'] !== undefined)
