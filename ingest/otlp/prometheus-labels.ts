import { type Labels, labelPairs, labelsFrom } from '../../model/labels.ts'

/**
 * A series' labels in Prometheus' form, without its name: characters of names that are no letter, digit or `_` become `_`, values of keys that
 * become equal are joined by `;` in the order of the keys, empty values are left out; `job` and `instance` say where it comes from.
 */
export function prometheusLabels(
  attributes: readonly (readonly [string, string])[],
  origin: { readonly job: string; readonly instance: string },
): Iterable<[string, string]> {
  const joined = new Map<string, string>()
  for (const [key, value] of [...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const name = labelName(key)
    const before = joined.get(name)
    joined.set(name, before === undefined ? value : `${before};${value}`)
  }
  joined.delete('__name__')
  joined.set('job', origin.job)
  if (origin.instance !== '') joined.set('instance', origin.instance)
  const labels: Labels = labelsFrom(joined)
  return labelPairs(labels)
}

/** An attribute's value, given as OTLP JSON, as a label's: texts as they are, numbers and booleans as text, the rest as JSON. */
export function anyValueText(json: string): string {
  const value: unknown = JSON.parse(json)
  const [[kind, content] = []] = Object.entries(value as Readonly<Record<string, unknown>>)
  if (content === undefined) return ''
  if (kind === 'arrayValue' || kind === 'kvlistValue') return JSON.stringify(plain(value))
  return String(content)
}

/** OTLP JSON without its types. */
function plain(value: unknown): unknown {
  const [[kind, content] = []] = Object.entries((value ?? {}) as Readonly<Record<string, unknown>>)
  if (kind === 'arrayValue') return listOf(content).map(plain)
  if (kind === 'kvlistValue') {
    const entries = listOf(content) as { readonly key?: string; readonly value?: unknown }[]
    return Object.fromEntries(entries.map(({ key, value: inner }) => [key ?? '', plain(inner)]))
  }
  if (kind === 'intValue') return Number(content)
  return content ?? null
}

function listOf(content: unknown): readonly unknown[] {
  return (content as { readonly values?: readonly unknown[] } | undefined)?.values ?? []
}

function labelName(key: string): string {
  const name = key.replace(/[^a-zA-Z0-9_]/g, '_')
  return /^\d/.test(name) ? `key_${name}` : name
}
