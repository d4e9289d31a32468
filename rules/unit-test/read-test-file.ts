import { LineCounter, type Node, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { parseDuration } from '../../model/duration.ts'
import { createYamlReader, type YamlReader } from '../files/yaml-fields.ts'

const text = z
  .string()
  .nullable()
  .optional()
  .transform((value) => value ?? '')

const duration = text.transform((value, context) => {
  const ms = value === '' ? 0 : parseDuration(value)
  if (ms !== null) return ms
  context.addIssue({ code: 'custom', message: `not a valid duration string: "${value}"` })
  return z.NEVER
})

const float = text.transform((value, context) => {
  if (value === '') return 0
  const plain = value
    .replace(/^\+/, '')
    .replace(/^(-?)\.?inf$/i, '$1Infinity')
    .replace(/^\.?nan$/i, 'NaN')
  const number = Number(plain)
  if (!Number.isNaN(number) || plain === 'NaN') return number
  context.addIssue({ code: 'custom', message: `expected a number, got "${value}"` })
  return z.NEVER
})

const flag = text.transform((value) => value === 'true')

/** Unix seconds or RFC 3339, milliseconds out. */
const timestamp = text.transform((value, context) => {
  if (value === '') return 0
  const ms = /^-?\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value)
  if (Number.isFinite(ms)) return Math.round(ms)
  context.addIssue({ code: 'custom', message: `expected Unix seconds or an RFC 3339 time, got "${value}"` })
  return z.NEVER
})

function list<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .nullable()
    .optional()
    .transform((items) => items ?? [])
}

const texts = z
  .record(z.string(), text)
  .nullable()
  .optional()
  .transform((value) => Object.entries(value ?? {}))

const alertTest = z.strictObject({
  eval_time: duration,
  alertname: text,
  exp_alerts: list(z.strictObject({ exp_labels: texts, exp_annotations: texts })),
})

const expressionTest = z.strictObject({
  expr: text,
  eval_time: duration,
  exp_samples: list(z.strictObject({ labels: text, value: float, histogram: text })),
})

const testGroup = z.strictObject({
  name: text,
  interval: duration,
  start_timestamp: timestamp,
  input_series: list(z.strictObject({ series: text, values: text })),
  alert_rule_test: list(alertTest),
  promql_expr_test: list(expressionTest),
  external_labels: texts,
  external_url: text,
})

const testFile = z.strictObject({
  rule_files: list(z.string()),
  evaluation_interval: duration.transform((ms) => (ms === 0 ? 60_000 : ms)),
  group_eval_order: list(z.string()),
  fuzzy_compare: flag,
  tests: list(testGroup.nullable().transform((test) => test ?? testGroup.parse({}))),
})

/** A file of unit tests of rules, as promtool reads it. Durations and times in milliseconds. */
export type RuleTestFile = Readonly<z.output<typeof testFile>>

/** One test of such a file. */
export type RuleTest = RuleTestFile['tests'][number]

/** Reads a file of unit tests. Throws Error with every problem, one per line. */
export function readTestFile(yaml: string): RuleTestFile {
  const lines = new LineCounter()
  const documents = parseAllDocuments(yaml, { lineCounter: lines, prettyErrors: false })
  const document = Array.isArray(documents) ? documents[0] : undefined
  if (document === undefined) return testFile.parse({})
  if (document.errors.length > 0) {
    throw new Error(
      document.errors.map(({ message, pos }) => `${lines.linePos(pos[0]).line}: yaml: ${message}`).join('\n'),
    )
  }
  const reader = createYamlReader(document, lines)
  const result = testFile.safeParse(plainTexts(document.contents as Node | null, reader) ?? {})
  if (result.success) return result.data
  throw new Error(
    result.error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('\n'),
  )
}

/** Everything as the texts that were written: `1.0` stays `1.0`. */
function plainTexts(node: Node | null, reader: YamlReader): unknown {
  if (reader.isNull(node)) return null
  const fields = reader.fields(node)
  if (fields !== null) {
    return Object.fromEntries(fields.map(({ name, value }) => [name, plainTexts(value, reader)]))
  }
  const items = reader.items(node)
  return items === null ? reader.text(node) : items.map((item) => plainTexts(item, reader))
}
