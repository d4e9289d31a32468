import type { Node } from 'yaml'
import { quoteText } from '../../model/labels.ts'
import type { Rule, RuleGroup, TextPairs } from '../rule-group.ts'
import { readRule } from './read-rule.ts'
import { isLabelName, readDuration, readTexts } from './read-values.ts'
import { type FieldMap, type RuleContext, readFields, report } from './rule-context.ts'

const FIELDS: ReadonlySet<string> = new Set([
  'name',
  'interval',
  'query_offset',
  'limit',
  'labels',
  'rules',
  'partial_response_strategy',
])

/**
 * Reads a group. `names` are those of the groups before it in the same file; the group's own is added. Returns null when it cannot be
 * used at all; other problems are reported in the context.
 */
export function readGroup(
  node: Node | null,
  context: RuleContext,
  source: string,
  names: Set<string>,
): RuleGroup | null {
  const { reader } = context
  const fields = readFields(context, node, 'RuleGroup', FIELDS)
  if (fields === null) return null
  const name = reader.text(fields.get('name')?.node ?? null) ?? ''
  if (name === '') report(context, node, 'error', 'Groupname must not be empty')
  else if (names.has(name)) {
    report(context, node, 'error', `groupname: ${quoteText(name)} is repeated in the same file`)
  }
  names.add(name)
  const labels = readTexts(context, fields, 'labels')
  for (const [label] of labels) {
    if (!isLabelName(label)) {
      report(context, fields.get('labels')?.node ?? null, 'error', `invalid label name: ${label}`)
    }
  }
  if (fields.has('partial_response_strategy')) {
    const at = fields.get('partial_response_strategy')?.node ?? null
    report(context, at, 'warning', 'partial_response_strategy has no meaning here: passed over')
  }
  return {
    name,
    file: source,
    intervalMs: readDuration(context, fields, 'interval') || null,
    queryOffsetMs: readDuration(context, fields, 'query_offset'),
    limit: readLimit(context, fields),
    rules: readRules(context, fields, name, labels),
  }
}

function readRules(
  context: RuleContext,
  fields: FieldMap,
  group: string,
  labels: TextPairs,
): readonly Rule[] {
  const node = fields.get('rules')?.node ?? null
  if (context.reader.isNull(node)) return []
  const items = context.reader.items(node)
  if (items === null) report(context, node, 'error', 'cannot unmarshal rules: a list is expected')
  return (items ?? []).flatMap((item, index) => readRule(item, context, { group, index, labels }) ?? [])
}

function readLimit(context: RuleContext, fields: FieldMap): number {
  const node = fields.get('limit')?.node ?? null
  const text = context.reader.text(node)
  if (text === '') return 0
  if (text !== null && /^-?\d{1,15}$/.test(text)) return Math.max(0, Number(text))
  report(
    context,
    node,
    'error',
    `cannot unmarshal ${quoteText(text ?? '')} into limit: a whole number is expected`,
  )
  return 0
}
