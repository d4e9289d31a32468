import { traceResponse } from '../http/native/trace-schemas.ts'
import { askServer } from './ask-server.ts'
import type { CliIo } from './cli-io.ts'
import { drawTrace } from './draw-trace.ts'
import { runCommand, SERVER_OPTIONS } from './run-command.ts'
import { terminalJson } from './terminal-text.ts'

const USAGE = `usage: meshwatch trace ID [--url URL] [--token-file FILE] [--json]

Shows a trace as a tree: each span's service, name, status, response flags, attempt, duration, and where it lies.

  --url URL          the server (default: http://127.0.0.1:9797)
  --token-file FILE  a file that holds a bearer token
  --json             the server's answer instead of the tree`

/**
 * `meshwatch trace ID`. `args` are what stands after `trace`. Returns the exit code: 0 shown, 1 not found or not
 * reachable, 2 wrong arguments.
 */
export function showTrace(args: readonly string[], io: CliIo): Promise<number> {
  return runCommand(args, io, { usage: USAGE, options: SERVER_OPTIONS }, async (values, positionals) => {
    const [traceId, ...others] = positionals
    if (traceId === undefined || others.length > 0) return 'usage'
    const server = { url: values.url, tokenFile: values['token-file'] }
    const trace = await askServer(io, server, `/api/traces/${encodeURIComponent(traceId)}`, traceResponse)
    io.stdout(
      values.json === true
        ? `${terminalJson(trace)}\n`
        : drawTrace(trace, { columns: io.columns, hasColor: io.isTty }),
    )
    return 'done'
  })
}
