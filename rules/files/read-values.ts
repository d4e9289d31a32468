import { parseDuration } from '../../model/duration.ts'
import { quoteText } from '../../model/labels.ts'
import type { TextPairs } from '../rule-group.ts'
import { type FieldMap, type RuleContext, report, reportAt } from './rule-context.ts'

/** The duration in a field, milliseconds; null when there is none, or a bad one, which is reported. */
export function readDuration(context: RuleContext, fields: FieldMap, name: string): number | null {
  const node = fields.get(name)?.node ?? null
  const text = context.reader.text(node)
  if (text === '') return null
  const ms = text === null ? null : parseDuration(text)
  if (ms === null) {
    report(context, node, 'error', `not a valid duration string: ${quoteText(text ?? '')}`)
  }
  return ms
}

/** The names and texts in a field, in the order written. */
export function readTexts(context: RuleContext, fields: FieldMap, name: string): TextPairs {
  const node = fields.get(name)?.node ?? null
  if (context.reader.isNull(node)) return []
  const pairs = context.reader.fields(node)
  if (pairs === null) {
    report(context, node, 'error', `cannot unmarshal ${name}: a mapping of names to texts is expected`)
    return []
  }
  return pairs.map((pair) => {
    const text = context.reader.text(pair.value)
    if (text === null)
      reportAt(context, pair.at, `cannot unmarshal ${name} ${quoteText(pair.name)}: a text is expected`)
    return [pair.name, text ?? ''] as const
  })
}

/** Whether a label may be called so; any text of Unicode but the metric's own name. */
export function isLabelName(name: string): boolean {
  return name !== '' && name !== '__name__' && name.isWellFormed()
}
