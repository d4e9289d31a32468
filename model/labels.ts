/**
 * Labels as a flat list name, value, name, value …, sorted by name (bytewise), names unique, no empty values.
 * `__name__` is the metric's name.
 */
export type Labels = readonly string[]

/** The name of the label that holds the metric's name. */
export const METRIC_NAME = '__name__'

/** Labels of nothing. */
export const NO_LABELS: Labels = []

/** Builds labels: sorted, empty values dropped, the last value of a repeated name wins. */
export function labelsFrom(pairs: Iterable<readonly [string, string]>): Labels {
  const byName = new Map<string, string>(pairs)
  return [...byName]
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => compareBytes(a, b))
    .flat()
}

/** The value of a label, '' when it is absent. */
export function labelValue(labels: Labels, name: string): string {
  for (let i = 0; i < labels.length; i += 2) {
    if (labels[i] === name) return labels[i + 1] ?? ''
  }
  return ''
}

/** Whether there is a label of special meaning (its name begins with `__`) beside the metric's name. */
export function hasReservedLabel(labels: Labels): boolean {
  for (let i = 0; i < labels.length; i += 2) {
    if (labels[i]?.startsWith('__') === true && labels[i] !== METRIC_NAME) return true
  }
  return false
}

/** The same labels with one set; '' removes it. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  let at = 0
  while (at < labels.length && compareBytes(labels[at] ?? '', name) < 0) at += 2
  const isPresent = labels[at] === name
  if (value === '') return isPresent ? [...labels.slice(0, at), ...labels.slice(at + 2)] : labels
  return [...labels.slice(0, at), name, value, ...labels.slice(isPresent ? at + 2 : at)]
}

/** The labels whose names are not in the set. */
export function withoutLabels(labels: Labels, names: ReadonlySet<string>): Labels {
  return select(labels, (name) => !names.has(name))
}

/** The labels whose names are in the set. */
export function keepLabels(labels: Labels, names: ReadonlySet<string>): Labels {
  return select(labels, (name) => names.has(name))
}

/** A text that is equal for equal labels and for no others; a key for maps, not for people. */
export function labelsKey(labels: Labels): string {
  let key = ''
  for (const text of labels) key += `${text.length}:${text}`
  return key
}

/** The order in which Prometheus sorts series: by name, then value, of the first label that differs; fewer labels first. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i += 1) {
    const order = compareBytes(a[i] ?? '', b[i] ?? '')
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** For JSON: an object without prototype, so that a label may be named like anything. */
export function labelsToRecord(labels: Labels): Record<string, string> {
  const record: Record<string, string> = Object.create(null)
  for (let i = 0; i < labels.length; i += 2) record[labels[i] ?? ''] = labels[i + 1] ?? ''
  return record
}

/** Pairs name, value in order. */
export function* labelPairs(labels: Labels): Generator<[string, string]> {
  for (let i = 0; i < labels.length; i += 2) yield [labels[i] ?? '', labels[i + 1] ?? '']
}

/**
 * How Prometheus prints a series: `up{job="a", instance="b"}`, `{a="b"}`, `{}`. A metric name that is not of the classic form
 * stands quoted inside the braces, as do label names.
 */
export function labelsText(labels: Labels): string {
  const metric = labelValue(labels, METRIC_NAME)
  const isClassic = isClassicMetricName(metric)
  const inside: string[] = metric === '' || isClassic ? [] : [quoteText(metric)]
  for (const [name, value] of labelPairs(labels)) {
    if (name === METRIC_NAME) continue
    inside.push(`${isClassicLabelName(name) ? name : quoteText(name)}=${quoteText(value)}`)
  }
  if (isClassic && inside.length === 0) return metric
  return `${isClassic ? metric : ''}{${inside.join(', ')}}`
}

/** How Prometheus prints labels in its errors: `{__name__="up", job="a"}`, the name as any other. */
export function bracedLabelsText(labels: Labels): string {
  const inside = Array.from(
    labelPairs(labels),
    ([name, value]) => `${isClassicLabelName(name) ? name : quoteText(name)}=${quoteText(value)}`,
  )
  return `{${inside.join(', ')}}`
}

/** Whether a metric name needs no quotes in PromQL. */
export function isClassicMetricName(name: string): boolean {
  return /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)
}

/** Whether a label name needs no quotes in PromQL. */
export function isClassicLabelName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)
}

/** Quotes as Go's `strconv.Quote` does: double quotes, escapes for what cannot be printed. */
export function quoteText(text: string): string {
  return `"${text.replace(QUOTED, escapeCharacter)}"`
}

/** Compares two texts by their UTF-8 bytes, which is the order of their code points. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return codePointOrder(x) - codePointOrder(y)
  }
  return a.length - b.length
}

// Everything that Go does not print as it is: quotes, backslash, controls, separators other than the space, unassigned,
// private use and lone surrogates.
const QUOTED = /["\\]|(?! )[\p{C}\p{Z}]/gu
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

function escapeCharacter(character: string): string {
  const short = SHORT_ESCAPES[character]
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x20 || code === 0x7f) return `\\x${hex.padStart(2, '0')}`
  return code > 0xffff ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`
}

function select(labels: Labels, isWanted: (name: string) => boolean): Labels {
  const kept: string[] = []
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i] ?? ''
    if (isWanted(name)) kept.push(name, labels[i + 1] ?? '')
  }
  return kept.length === labels.length ? labels : kept
}

function codePointOrder(unit: number): number {
  // Surrogates stand for code points above all others, but their units lie below U+E000.
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit
}
