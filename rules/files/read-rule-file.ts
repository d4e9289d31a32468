import { LineCounter, type Node, parseAllDocuments } from 'yaml'
import { quoteText } from '../../model/labels.ts'
import type { RuleGroup } from '../rule-group.ts'
import { readGroup } from './read-group.ts'
import { type RuleContext, report, reportUnknownField } from './rule-context.ts'
import type { RuleProblem } from './rule-problem.ts'
import { createYamlReader } from './yaml-fields.ts'

/** What stands in a rule file. When a problem is an error, the groups are those that could be read. */
export interface RuleFile {
  readonly groups: readonly RuleGroup[]
  readonly problems: readonly RuleProblem[]
}

/** How a rule file is to be read. */
export interface ReadRuleFileOptions {
  /** Fields that Prometheus does not know are passed over instead of being errors. */
  readonly ignoreUnknownFields?: boolean
}

/**
 * Reads a rule file: Prometheus' own form, or `PrometheusRule` resources of its operator, also several in one file or in a List.
 * Every problem is reported, with its position, in Prometheus' words. Unlike Prometheus, later documents of a file count too.
 */
export function readRuleFile(text: string, file: string, options: ReadRuleFileOptions = {}): RuleFile {
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  const problems: RuleProblem[] = []
  const groups: RuleGroup[] = []
  if (!Array.isArray(documents)) return { groups, problems }
  for (const document of documents) {
    const reader = createYamlReader(document, lines)
    const context: RuleContext = {
      reader,
      problems,
      file,
      ignoreUnknownFields: options.ignoreUnknownFields === true,
    }
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0])
      problems.push({ file, line, column: col, severity: 'error', message: `yaml: ${error.message}` })
    }
    if (document.errors.length === 0) groups.push(...readDocument(document.contents as Node | null, context))
  }
  return { groups, problems }
}

const RESOURCE_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'spec', 'status'])

function readDocument(root: Node | null, context: RuleContext): readonly RuleGroup[] {
  const { reader } = context
  if (reader.isNull(root)) return []
  const fields = reader.fields(root)
  if (fields === null) {
    report(
      context,
      root,
      'error',
      'cannot unmarshal the document: a mapping with the field groups is expected',
    )
    return []
  }
  const nodeOf = (name: string) => fields.find((field) => field.name === name)?.value ?? null
  const kind = reader.text(nodeOf('kind')) ?? ''
  if (kind === '') return readGroups(root, context, ['groups'], context.file)
  if (kind === 'List' || kind === 'PrometheusRuleList') {
    return (reader.items(nodeOf('items')) ?? []).flatMap((item) => readDocument(item, context))
  }
  if (kind !== 'PrometheusRule') {
    report(context, root, 'warning', `kind ${quoteText(kind)} is no PrometheusRule: passed over`)
    return []
  }
  for (const { name, at } of fields) {
    if (!RESOURCE_FIELDS.has(name)) reportUnknownField(context, name, 'PrometheusRule', at)
  }
  const spec = nodeOf('spec')
  if (reader.isNull(spec)) return []
  return readGroups(spec, context, ['groups'], resourceName(nodeOf('metadata'), context))
}

function readGroups(
  node: Node | null,
  context: RuleContext,
  known: readonly string[],
  source: string,
): readonly RuleGroup[] {
  const { reader } = context
  const fields = reader.fields(node)
  if (fields === null) {
    report(
      context,
      node,
      'error',
      'cannot unmarshal the document: a mapping with the field groups is expected',
    )
    return []
  }
  const groups: RuleGroup[] = []
  const names = new Set<string>()
  for (const field of fields) {
    if (!known.includes(field.name)) reportUnknownField(context, field.name, 'RuleGroups', field.at)
    else if (!reader.isNull(field.value)) {
      const items = reader.items(field.value)
      if (items === null) report(context, field.value, 'error', 'cannot unmarshal groups: a list is expected')
      for (const item of items ?? []) {
        const group = readGroup(item, context, source, names)
        if (group !== null) groups.push(group)
      }
    }
  }
  return groups
}

/** Resources of one file may have groups of equal names: the resource's name tells them apart. */
function resourceName(metadata: Node | null, context: RuleContext): string {
  const { reader } = context
  const fields = reader.fields(metadata) ?? []
  const text = (name: string) => reader.text(fields.find((field) => field.name === name)?.value ?? null) ?? ''
  const [namespace, name] = [text('namespace'), text('name')]
  return `${context.file}#${namespace === '' ? '' : `${namespace}/`}${name}`
}
