// How much a credential is used: minutes in which it was, each counting half as much 30 days later. As SQL about a row
// `c` of `credentials`; one that was used before this was counted has one minute, its last.

const HALF_LIFE_SECONDS = 30 * 86_400
/** Beyond that nothing is left, and Postgres would say so by an error. */
const MOST_HALF_LIVES = 1000

const AT_LAST_USE = 'greatest(c.recent_use, 1)'

/** What is left of it at `at`; 0 for none. */
export const leftOfUse = (at: string): string => `
  coalesce(${AT_LAST_USE} * power(0.5, least(
    date_part('epoch', ${at} - c.last_used_at) / ${HALF_LIFE_SECONDS}, ${MOST_HALF_LIVES})), 0)`

/**
 * A number that orders credentials by what is left of their use, at whatever instant; null for those nobody used. One
 * more is twice the use.
 */
export const RANK_OF_USE = `
  (ln(${AT_LAST_USE}) / ln(2.0::float8) + date_part('epoch', c.last_used_at) / ${HALF_LIFE_SECONDS})`
