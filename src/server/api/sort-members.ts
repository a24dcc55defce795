// The order of members that a client chooses. The database keeps another one than the body had, and an entity tag is
// made from the text of a view: in one order, the same object has the same tag.

/** `object` with its members by name. */
export const sortMembers = <T>(object: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
