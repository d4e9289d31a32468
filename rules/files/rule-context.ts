import type { Node } from 'yaml'
import type { RuleProblem } from './rule-problem.ts'
import type { Position, YamlReader } from './yaml-fields.ts'

/** What the parts of a rule file's reader share. */
export interface RuleContext {
  readonly reader: YamlReader
  /** Collects what is found. */
  readonly problems: RuleProblem[]
  readonly file: string
  readonly ignoreUnknownFields: boolean
}

/** Reports a problem at a node. */
export function report(
  context: RuleContext,
  node: Node | null,
  severity: RuleProblem['severity'],
  message: string,
): void {
  reportAt(context, context.reader.position(node), message, severity)
}

/** Reports a problem at a position. */
export function reportAt(
  context: RuleContext,
  at: Position,
  message: string,
  severity: RuleProblem['severity'] = 'error',
): void {
  const { line, column } = at
  context.problems.push({ file: context.file, line, column, severity, message })
}

/** Reports a field that is not known, unless such are to be passed over. */
export function reportUnknownField(context: RuleContext, name: string, type: string, at: Position): void {
  if (!context.ignoreUnknownFields) reportAt(context, at, `field ${name} not found in type ${type}`)
}

/** Fields by name. */
export type FieldMap = ReadonlyMap<string, { readonly node: Node | null; readonly at: Position }>

/** The fields of a mapping by name; those that are not known are reported. Null, reported, when the node is no mapping. */
export function readFields(
  context: RuleContext,
  node: Node | null,
  type: string,
  known: ReadonlySet<string>,
): FieldMap | null {
  const fields = context.reader.fields(node)
  if (fields === null) {
    report(context, node, 'error', `cannot unmarshal into type ${type}: a mapping is expected`)
    return null
  }
  for (const { name, at } of fields) {
    if (!known.has(name)) reportUnknownField(context, name, type, at)
  }
  return new Map(fields.map(({ name, value, at }) => [name, { node: value, at }]))
}
