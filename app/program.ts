import { Command, CommanderError, Option } from 'commander'
import { LOG_LEVELS } from '../runtime/logger.ts'
import type { CommandIo } from './command-io.ts'
import { programVersion } from './program-version.ts'
import type { ProxyArguments } from './proxy-command.ts'
import type { ServeArguments } from './serve-command.ts'

/**
 * Runs the command line. `args` without program and script. Returns the exit code: 0 good, 1 a problem was found or the
 * command failed, 2 the arguments are wrong.
 */
export async function runProgram(args: readonly string[], io: CommandIo): Promise<number> {
  let exitCode = 0
  // A command's code is loaded when it is chosen: a proxy needs neither the engine nor what rules and receivers are made of.
  const run = async (command: () => Promise<number>): Promise<void> => {
    exitCode = await command()
  }
  const program = new Command('meshwatch')
    .description('Observability and alerting backend of a service mesh')
    .version(programVersion(), '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .showHelpAfterError('(add --help for the options)')

  program
    .command('serve')
    .description('run the server')
    .option('--config <file>', 'configuration file (default: meshwatch.yaml if it is there)')
    .option('--data-dir <dir>', 'where data is kept (default: ./data)')
    .option('--roles <roles>', 'all, or some of ingest,query,alerting', 'all')
    .action((options: ServeArguments) =>
      run(async () => (await import('./serve-command.ts')).serveCommand(options, io)),
    )

  program
    .command('proxy')
    .description('run the data plane of one workload')
    .requiredOption('--config <files...>', 'configuration, policies and endpoints (YAML)')
    .addOption(new Option('--log-level <level>', 'how much to log').choices(LOG_LEVELS).default('info'))
    .action((options: ProxyArguments) =>
      run(async () => (await import('./proxy-command.ts')).proxyCommand(options, io)),
    )

  const config = program.command('config').description('look at the configuration')
  config
    .command('check')
    .argument('[file]', 'configuration file (default: meshwatch.yaml if it is there)')
    .description('print the configuration in force, or every problem it has')
    .action((file: string | undefined) =>
      run(async () => (await import('./config-check-command.ts')).configCheckCommand(file ?? null, io)),
    )

  // These parse their own arguments: commander only lists them.
  const asking = { columns: io.columns, isTty: io.isTerminal, fetch: globalThis.fetch }
  const cliIo = { stdout: io.stdout, stderr: io.stderr, ...asking }
  for (const [name, summary, load] of ASKING_COMMANDS) {
    program
      .command(name)
      .description(summary)
      .argument('[args...]', `see: meshwatch ${name} --help`)
      .helpOption(false)
      .allowUnknownOption()
      .action(() => run(async () => (await load())(args.slice(1), cliIo)))
  }

  program
    .command('version')
    .description('print the versions of the program, Node.js and ClickHouse')
    .action(() => run(async () => (await import('./version-command.ts')).versionCommand(io)))

  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : 2
  }
}

const ASKING_COMMANDS = [
  ['trace', 'show a trace as a tree', async () => (await import('../query/cli/show-trace.ts')).showTrace],
  [
    'traces',
    'search traces',
    async () => (await import('../query/cli/search-traces.ts')).searchTracesCommand,
  ],
  [
    'rules',
    'check and test rule files',
    async () => (await import('../rules/cli/rules-command.ts')).rulesCommand,
  ],
  ['query', 'evaluate PromQL', async () => (await import('../query/cli/query-command.ts')).queryCommand],
] as const
