import { checkRulesCommand } from './check-rules-command.ts'
import type { RulesIo } from './rules-io.ts'
import { testRulesCommand } from './test-rules-command.ts'

const HELP = `Usage: meshwatch rules check FILE...
       meshwatch rules test [--run PATTERN] FILE...

check   reads rule files (Prometheus' form or PrometheusRule resources) and prints every problem
        --ignore-unknown-fields   pass over fields that Prometheus does not know
        --lint-fatal              rules that stand there twice are an error
test    runs unit tests of rules, in promtool's format
        --run PATTERN             only tests whose name contains a match of PATTERN; may be repeated

Exit code: 0 good, 1 problems were found or tests failed, 2 the arguments are wrong.
`

/** `meshwatch rules …`: `args` without `rules`. Returns the exit code. */
export async function rulesCommand(args: readonly string[], io: RulesIo): Promise<number> {
  const [command, ...rest] = args
  if (command === '--help' || command === '-h' || rest.includes('--help') || rest.includes('-h')) {
    io.stdout(HELP)
    return 0
  }
  if (command === 'check') return checkRulesCommand(rest, io)
  if (command === 'test') return testRulesCommand(rest, io)
  io.stderr(command === undefined ? HELP : `Unknown command: rules ${command}\n${HELP}`)
  return 2
}
