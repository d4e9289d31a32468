/** What Fastify hands over as the query string: one text, or a list where a name was given more than once. */
export type QueryString = Readonly<Record<string, string | string[] | undefined>>

/** The first value of the first of these names that is there and not empty; null when none is. Empty is absent. */
export function firstValue(query: QueryString, ...names: readonly string[]): string | null {
  for (const name of names) {
    const value = allValues(query, name)[0]
    if (value !== undefined) return value
  }
  return null
}

/** All values of a name that are not empty, in the order given. */
export function allValues(query: QueryString, name: string): string[] {
  const value = query[name]
  const list = value === undefined ? [] : Array.isArray(value) ? value : [value]
  return list.filter((text) => text !== '')
}
