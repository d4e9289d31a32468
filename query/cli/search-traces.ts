import type { z } from 'zod'
import { tracesResponse } from '../http/native/trace-schemas.ts'
import { askServer } from './ask-server.ts'
import type { CliIo } from './cli-io.ts'
import { formatNanos } from './format-nanos.ts'
import { runCommand, SERVER_OPTIONS } from './run-command.ts'
import { fitText, terminalJson, terminalText } from './terminal-text.ts'

const USAGE = `usage: meshwatch traces [filter …] [--url URL] [--token-file FILE] [--json]

Finds traces that have a span which matches everything given.

  --service S --operation NAME --kind server|client|… --status error|ok|unset --error true|false
  --min-duration 250ms --max-duration 1s
  --attr KEY=VALUE   (repeat: all must hold)
  --flag UO          (repeat: one of them must be there)
  --retried true|false --http-status 503 --grpc-status 14
  --upstream S --cluster C --endpoint ADDRESS --root true|false
  --start now-1h --end now --limit 20 --order time|duration --cursor CURSOR

  --url URL          the server (default: http://127.0.0.1:9797)
  --token-file FILE  a file that holds a bearer token
  --json             the server's answer instead of the table`

const text = { type: 'string' } as const
const list = { type: 'string', multiple: true } as const

/** The options that are query parameters of `/api/traces`. */
const FILTER_OPTIONS = {
  service: text,
  operation: text,
  kind: text,
  status: text,
  error: text,
  'min-duration': text,
  'max-duration': text,
  attr: list,
  flag: list,
  retried: text,
  'http-status': text,
  'grpc-status': text,
  upstream: text,
  cluster: text,
  endpoint: text,
  root: text,
  start: text,
  end: text,
  limit: text,
  order: text,
  cursor: text,
} as const

/**
 * `meshwatch traces`. `args` are what stands after `traces`. Returns the exit code: 0 (also when nothing is found), 1 not
 * reachable or refused, 2 wrong arguments.
 */
export function searchTracesCommand(args: readonly string[], io: CliIo): Promise<number> {
  const options = { ...SERVER_OPTIONS, ...FILTER_OPTIONS }
  return runCommand(args, io, { usage: USAGE, options }, async (values, positionals) => {
    if (positionals.length > 0) return 'usage'
    const query = new URLSearchParams()
    for (const option of Object.keys(FILTER_OPTIONS) as (keyof typeof FILTER_OPTIONS)[]) {
      for (const value of [values[option] ?? []].flat()) query.append(parameterName(option), value)
    }
    const server = { url: values.url, tokenFile: values['token-file'] }
    const page = await askServer(io, server, `/api/traces?${query}`, tracesResponse)
    if (values.json === true) {
      io.stdout(`${terminalJson(page)}\n`)
      return 'done'
    }
    if (page.traces.length === 0) io.stderr('No trace matches.\n')
    else io.stdout(drawTable(page.traces, io.columns))
    if (page.cursor !== null) io.stderr(`More: add --cursor ${terminalText(page.cursor)}\n`)
    return 'done'
  })
}

/** `min-duration` → `minDuration`. */
function parameterName(option: string): string {
  return option.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

function drawTable(traces: z.output<typeof tracesResponse>['traces'], columns: number): string {
  const fixed = 24 + 1 + 32 + 1 + 8 + 1 + 6 + 1 + 6 + 1
  const rest = Math.max(20, Math.max(60, columns) - fixed)
  const row = (start: string, id: string, duration: string, spans: string, errors: string, what: string) =>
    [
      fitText(start, 24),
      fitText(id, 32),
      fitText(duration, 8, 'right'),
      fitText(spans, 6, 'right'),
      fitText(errors, 6, 'right'),
      fitText(what, rest),
    ]
      .join(' ')
      .trimEnd()
  const lines = traces.map((trace) => {
    const { matched } = trace
    const root = trace.rootService === null ? '' : `${trace.rootService} ${trace.rootName ?? ''}`
    const span = `${matched.service} ${matched.name} ${formatNanos(BigInt(matched.durationNanos))}`
    const what = root === `${matched.service} ${matched.name}` || root === '' ? span : `${root} … ${span}`
    return row(
      new Date(Number(BigInt(trace.startTimeUnixNano) / 1_000_000n)).toISOString(),
      trace.traceId,
      formatNanos(BigInt(trace.durationNanos)),
      String(trace.spanCount),
      String(trace.errorCount),
      terminalText(what),
    )
  })
  return `${[row('START', 'TRACE', 'DURATION', 'SPANS', 'ERRORS', 'ROOT … MATCHING SPAN'), ...lines].join('\n')}\n`
}
