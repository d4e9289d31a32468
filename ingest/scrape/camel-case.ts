/** Keys below which names are the user's own. */
const USERS_OWN = new Set(['labels', 'params'])

/** The same data with keys such as `scrape_interval` written `scrapeInterval`. Names of labels and parameters stay as they are. */
export function camelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCase)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      USERS_OWN.has(key) ? inner : camelCase(inner),
    ]),
  )
}
