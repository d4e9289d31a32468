import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import type { CliIo } from './cli-io.ts'
import { terminalText } from './terminal-text.ts'

/** The options that every command which asks a server has. */
export const SERVER_OPTIONS = {
  url: { type: 'string' },
  'token-file': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig

/**
 * Parses a command's arguments and runs it. Exit codes: 0 good, 1 the command failed, 2 the arguments are wrong.
 * A failure is one sentence on standard error.
 */
export async function runCommand<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  io: CliIo,
  command: { readonly usage: string; readonly options: Options },
  run: (
    values: ReturnType<typeof parse<Options>>['values'],
    positionals: readonly string[],
  ) => Promise<'done' | 'usage'>,
): Promise<number> {
  let parsed: ReturnType<typeof parse<Options>>
  try {
    parsed = parse(args, command.options)
  } catch (error) {
    io.stderr(`${terminalText(errorMessage(error))}\n${command.usage}\n`)
    return 2
  }
  if ((parsed.values as { help?: boolean }).help === true) {
    io.stdout(`${command.usage}\n`)
    return 0
  }
  try {
    if ((await run(parsed.values, parsed.positionals)) === 'done') return 0
    io.stderr(`${command.usage}\n`)
    return 2
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    io.stderr(`${terminalText(error.message)}\n`)
    return 1
  }
}

function parse<const Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
}
