import { z } from 'zod'
import { type Labels, labelsFrom, labelsText } from '../../model/labels.ts'
import { askServer } from './ask-server.ts'
import type { CliIo } from './cli-io.ts'
import { runCommand, SERVER_OPTIONS } from './run-command.ts'
import { terminalJson, terminalText } from './terminal-text.ts'

const USAGE = `usage: meshwatch query EXPR [--time T] [--start S --end E --step D] [--url URL] [--token-file FILE] [--plan] [--json]

Evaluates a PromQL expression: at one moment, or with --start at every step of a range.

  --time T           the moment (default: now)
  --start S --end E  a range (--end default: now); times: RFC 3339, Unix seconds, now-1h
  --step D           15s, 1m … (default: 1m)
  --url URL          the server (default: http://127.0.0.1:9797)
  --token-file FILE  a file that holds a bearer token
  --plan             how it was answered, after the table
  --json             the server's answer instead of the table

A native histogram is shown as {count:5, sum:7.5, (0.5,1]:3, (1,2]:2}: a bound in round brackets is not part of its bucket.`

const sample = z.tuple([z.number(), z.string()])
const metric = z.record(z.string(), z.string())
const histogram = z.object({
  count: z.string(),
  sum: z.string(),
  /** Which bounds are part of the bucket (0 the upper, 1 the lower, 2 none, 3 both), the bounds, the count. */
  buckets: z.array(z.tuple([z.int().min(0).max(3), z.string(), z.string(), z.string()])).default([]),
})
const histogramSample = z.tuple([z.number(), histogram])
const answer = z.object({
  status: z.literal('success'),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.enum(['scalar', 'string']), result: sample }),
    z.object({
      resultType: z.literal('vector'),
      result: z.array(
        z.union([z.object({ metric, value: sample }), z.object({ metric, histogram: histogramSample })]),
      ),
    }),
    z.object({
      resultType: z.literal('matrix'),
      result: z.array(
        z.object({
          metric,
          values: z.array(sample).default([]),
          histograms: z.array(histogramSample).default([]),
        }),
      ),
    }),
  ]),
  warnings: z.array(z.string()).optional(),
  infos: z.array(z.string()).optional(),
  plan: z.object({ text: z.array(z.string()) }).optional(),
})

/**
 * `meshwatch query`. `args` are what stands after `query`. Returns the exit code: 0 (also when nothing is found), 1 not reachable or
 * refused, 2 wrong arguments.
 */
export function queryCommand(args: readonly string[], io: CliIo): Promise<number> {
  const text = { type: 'string' } as const
  const options = {
    ...SERVER_OPTIONS,
    time: text,
    start: text,
    end: text,
    step: text,
    plan: { type: 'boolean' } as const,
  }
  return runCommand(args, io, { usage: USAGE, options }, async (values, positionals) => {
    const [expr, ...rest] = positionals
    const isRange = values.start !== undefined
    const hasRangeOnly = values.end !== undefined || values.step !== undefined
    if (expr === undefined || rest.length > 0 || (isRange ? values.time !== undefined : hasRangeOnly))
      return 'usage'
    const query = new URLSearchParams({ query: expr })
    if (isRange) {
      query.set('start', values.start ?? '')
      query.set('end', values.end ?? 'now')
      query.set('step', values.step ?? '1m')
    } else if (values.time !== undefined) query.set('time', values.time)
    if (values.plan === true) query.set('debug', 'plan')
    const path = `/prometheus/api/v1/${isRange ? 'query_range' : 'query'}?${query}`
    const response = await askServer(io, { url: values.url, tokenFile: values['token-file'] }, path, answer)
    if (values.json === true) {
      io.stdout(`${terminalJson(response)}\n`)
      return 'done'
    }
    for (const note of [...(response.warnings ?? []), ...(response.infos ?? [])]) {
      io.stderr(`${terminalText(note)}\n`)
    }
    io.stdout(drawAnswer(response.data))
    for (const line of response.plan?.text ?? []) io.stdout(`${terminalText(line)}\n`)
    return 'done'
  })
}

function drawAnswer(data: z.output<typeof answer>['data']): string {
  switch (data.resultType) {
    case 'scalar':
    case 'string':
      return `${terminalText(data.result[1])}\n`
    case 'vector': {
      const names = data.result.map(({ metric: labels }) => seriesText(labels))
      const width = Math.max(0, ...names.map((name) => name.length))
      return data.result
        .map((element, index) => {
          const text = 'value' in element ? element.value[1] : histogramText(element.histogram[1])
          return `${(names[index] ?? '').padEnd(width)}  ${terminalText(text)}\n`
        })
        .join('')
    }
    case 'matrix':
      return data.result
        .map(({ metric: labels, values, histograms }) => {
          const points = [
            ...values,
            ...histograms.map(([seconds, value]) => [seconds, histogramText(value)] as const),
          ]
          const rows = points
            .sort(([a], [b]) => a - b)
            .map(
              ([seconds, value]) => `  ${new Date(seconds * 1000).toISOString()}  ${terminalText(value)}\n`,
            )
          return `${seriesText(labels)}\n${rows.join('')}`
        })
        .join('')
  }
}

/** As Prometheus prints it. */
function histogramText({ count, sum, buckets }: z.output<typeof histogram>): string {
  const parts = buckets.map(([rule, lower, upper, number]) => {
    const opening = rule === 1 || rule === 3 ? '[' : '('
    const closing = rule === 0 || rule === 3 ? ']' : ')'
    return `${opening}${lower},${upper}${closing}:${number}`
  })
  return `{${[`count:${count}`, `sum:${sum}`, ...parts].join(', ')}}`
}

function seriesText(metricLabels: Readonly<Record<string, string>>): string {
  const labels: Labels = labelsFrom(Object.entries(metricLabels))
  return terminalText(labelsText(labels))
}
