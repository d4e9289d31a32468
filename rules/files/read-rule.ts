import type { Node } from 'yaml'
import { quoteText } from '../../model/labels.ts'
import { parseExpression } from '../../query/promql/parse-expression.ts'
import { errorMessage } from '../../runtime/errors.ts'
import type { Rule, TextPairs } from '../rule-group.ts'
import { templateProblem } from '../templates/alert-template.ts'
import { isLabelName, readDuration, readTexts } from './read-values.ts'
import { type RuleContext, readFields, reportAt } from './rule-context.ts'

/** Where a rule stands. */
export interface RulePlace {
  /** The group's name. */
  readonly group: string
  /** From 0. */
  readonly index: number
  /** The group's labels. */
  readonly labels: TextPairs
}

const FIELDS: ReadonlySet<string> = new Set([
  'record',
  'alert',
  'expr',
  'for',
  'keep_firing_for',
  'labels',
  'annotations',
])

/** Reads a rule and reports everything that is wrong with it, in Prometheus' words. Null when it cannot be used at all. */
export function readRule(node: Node | null, context: RuleContext, place: RulePlace): Rule | null {
  const { reader } = context
  const fields = readFields(context, node, 'Rule', FIELDS)
  if (fields === null) return null
  const text = (name: string) => reader.text(fields.get(name)?.node ?? null) ?? ''
  const [record, alert, expr] = [text('record'), text('alert'), text('expr')]
  const name = record || alert
  const fail = (at: Node | null, message: string) => {
    const rule = `group ${quoteText(place.group)}, rule ${place.index + 1}, ${quoteText(name)}`
    reportAt(context, reader.position(at ?? node), `${rule}: ${message}`)
  }
  const nodeOf = (field: string) => fields.get(field)?.node ?? null

  if (record !== '' && alert !== '') fail(nodeOf('record'), "only one of 'record' and 'alert' must be set")
  if (name === '') fail(node, "one of 'record' or 'alert' must be set")
  checkExpression(expr, (message) => fail(nodeOf('expr'), message))
  const own = readTexts(context, fields, 'labels')
  const annotations = readTexts(context, fields, 'annotations')
  for (const [label] of own) {
    if (!isLabelName(label)) fail(nodeOf('labels'), `invalid label name: ${label}`)
  }
  for (const [annotation] of annotations) {
    if (!isLabelName(annotation)) fail(nodeOf('annotations'), `invalid annotation name: ${annotation}`)
  }
  // The rule's labels override the group's.
  const labels = [...new Map([...place.labels, ...own])]
  const holdMs = readDuration(context, fields, 'for') ?? 0
  const keepFiringForMs = readDuration(context, fields, 'keep_firing_for') ?? 0
  if (record !== '') {
    checkRecording(record, { annotations, holdMs, keepFiringForMs }, (field, message) =>
      fail(nodeOf(field), message),
    )
    return { kind: 'recording', name: record, expr: expr.trim(), labels }
  }
  for (const [field, texts] of [
    ['label', own],
    ['annotation', annotations],
  ] as const) {
    for (const [key, template] of texts) {
      const problem = templateProblem(name, template)
      if (problem === null) continue
      const written = reader.fields(nodeOf(`${field}s`))?.find((pair) => pair.name === key)?.value
      fail(written ?? null, `${field} ${quoteText(key)}: error parsing template: ${problem}`)
    }
  }
  return { kind: 'alerting', name, expr: expr.trim(), holdMs, keepFiringForMs, labels, annotations }
}

function checkExpression(expr: string, fail: (message: string) => void): void {
  if (expr === '') {
    fail("field 'expr' must be set in rule")
    return
  }
  try {
    parseExpression(expr)
  } catch (error) {
    fail(`could not parse expression: ${errorMessage(error)}`)
  }
}

interface AlertingFields {
  readonly annotations: TextPairs
  readonly holdMs: number
  readonly keepFiringForMs: number
}

function checkRecording(
  record: string,
  alerting: AlertingFields,
  fail: (field: string, message: string) => void,
): void {
  const { annotations, holdMs, keepFiringForMs } = alerting
  if (annotations.length > 0) fail('annotations', "invalid field 'annotations' in recording rule")
  if (holdMs !== 0) fail('for', "invalid field 'for' in recording rule")
  if (keepFiringForMs !== 0) fail('keep_firing_for', "invalid field 'keep_firing_for' in recording rule")
  if (!record.isWellFormed()) fail('record', `invalid recording rule name: ${record}`)
  if (/[{}]/.test(record)) {
    fail('record', `braces present in the recording rule name; should it be in expr?: ${record}`)
  }
}
