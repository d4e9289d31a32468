import { type Labels, labelPairs } from '../../model/labels.ts'
import { parseTemplate } from '../../model/template/parse-template.ts'
import { renderTemplate } from '../../model/template/render-template.ts'
import { standardFunctions } from '../../model/template/standard-functions.ts'
import type { Template } from '../../model/template/template-ast.ts'
import type { TemplateFunction, Value } from '../../model/template/value.ts'
import { errorMessage } from '../../runtime/errors.ts'
import type { QueryVector } from './query-vector.ts'

/** What the templates of one element of an alerting rule's result see. */
export interface AlertTemplateData {
  /** The element's own labels, with the metric's name. */
  readonly labels: Labels
  /** A native histogram is its text. */
  readonly value: number | string
  readonly externalLabels: Labels
  /** Our address as users reach it, without a trailing slash. */
  readonly externalUrl: string
}

/** What expanding needs beside the data. */
export interface AlertTemplateContext {
  /** The rule's name, for messages. */
  readonly alertName: string
  /** The time of the evaluation, epoch milliseconds. */
  readonly nowMs: number
  /** Answers the function `query`, at the time of the evaluation. */
  readonly query: QueryVector
}

/** What a template of a rule may call: Prometheus' functions. */
const FUNCTION_NAMES: ReadonlySet<string> = new Set([
  'query',
  'first',
  'label',
  'value',
  'strvalue',
  'sortByLabel',
  'args',
  'reReplaceAll',
  'safeHtml',
  'match',
  'title',
  'toUpper',
  'toLower',
  'graphLink',
  'tableLink',
  'stripPort',
  'stripDomain',
  'humanize',
  'humanize1024',
  'humanizeDuration',
  'humanizePercentage',
  'humanizeTimestamp',
  'toTime',
  'toDuration',
  'now',
  'pathPrefix',
  'externalURL',
  'parseDuration',
  'urlQueryEscape',
])
const VARIABLES = ['$labels', '$externalLabels', '$externalURL', '$value']
const MAX_QUERIES = 50
const MOST_PARSED = 2000
// What a text parses to depends on nothing else, so one cache serves every rule.
const parsed = new Map<string, Template | Error>()

/** What is wrong with a template as a text; null when it parses. */
export function templateProblem(alertName: string, text: string): string | null {
  const template = parseOnce(alertName, text)
  return template instanceof Error ? template.message : null
}

/**
 * Expands a template of an alerting rule as Prometheus does: `$labels`, `$value`, `$externalLabels`, `$externalURL`, its functions and `query`.
 * Never throws for what the template does: the text then says `<error expanding template: …>`.
 */
export async function expandAlertTemplate(
  text: string,
  data: AlertTemplateData,
  context: AlertTemplateContext,
): Promise<string> {
  if (!text.includes('{{')) return text
  const template = parseOnce(context.alertName, text)
  if (template instanceof Error) return failed(context, template)
  const answers = new Map<string, Value>()
  for (let round = 0; ; round += 1) {
    let wanted: string | null = null
    const query: TemplateFunction = (expr) => {
      const key = String(expr ?? '')
      const answer = answers.get(key)
      if (answer !== undefined) return answer
      wanted = key
      throw new Error(`no answer to ${key}`)
    }
    try {
      return render(template, data, context, query)
    } catch (error) {
      // Rendering is synchronous and queries are not: it is done again with the answer it lacked.
      if (wanted === null || round >= MAX_QUERIES) return failed(context, error)
    }
    try {
      answers.set(wanted, (await context.query(wanted)).map(sampleValue))
    } catch (error) {
      return failed(context, error)
    }
  }
}

function render(
  template: Template,
  data: AlertTemplateData,
  context: AlertTemplateContext,
  query: TemplateFunction,
): string {
  const labels = new Map<string, Value>(labelPairs(data.labels))
  const externalLabels = new Map<string, Value>(labelPairs(data.externalLabels))
  const { value, externalUrl } = data
  const standard = standardFunctions({ nowMs: context.nowMs, externalUrl })
  const functions = new Map([...standard].filter(([name]) => FUNCTION_NAMES.has(name)))
  functions.set('query', query)
  return renderTemplate(template, {
    mode: 'text',
    functions,
    data: {
      kind: 'struct',
      typeName: 'struct',
      fields: new Map<string, Value>([
        ['Labels', labels],
        ['ExternalLabels', externalLabels],
        ['ExternalURL', externalUrl],
        ['Value', value],
      ]),
    },
    variables: new Map<string, Value>([
      ['$labels', labels],
      ['$externalLabels', externalLabels],
      ['$externalURL', externalUrl],
      ['$value', value],
    ]),
  })
}

function sampleValue(sample: { readonly labels: Labels; readonly value: number }): Value {
  return new Map<string, Value>([
    ['Labels', new Map<string, Value>(labelPairs(sample.labels))],
    ['Value', sample.value],
  ])
}

function failed(context: AlertTemplateContext, error: unknown): string {
  const name = `__alert_${context.alertName}`
  return `<error expanding template: error executing template ${name}: ${errorMessage(error)}>`
}

function parseOnce(alertName: string, text: string): Template | Error {
  const name = `__alert_${alertName}`
  const key = `${name}\n${text}`
  const known = parsed.get(key)
  if (known !== undefined) return known
  let result: Template | Error
  try {
    result = parseTemplate(text, { name, functions: FUNCTION_NAMES, variables: VARIABLES })
  } catch (error) {
    result = error instanceof Error ? error : new Error(String(error))
  }
  if (parsed.size >= MOST_PARSED) parsed.delete(parsed.keys().next().value ?? '')
  parsed.set(key, result)
  return result
}
