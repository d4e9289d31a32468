import type { CommandIo } from './command-io.ts'
import { chooseConfigFile } from './configuration/choose-config-file.ts'
import { loadConfig } from './configuration/load-config.ts'
import { printConfig } from './configuration/print-config.ts'
import { problemText } from './configuration/raw-config.ts'

/**
 * `meshwatch config check [FILE]`: prints the configuration in force, secrets hidden, and returns 0; or prints every problem
 * on standard error and returns 1. Opens nothing but the files that the configuration names.
 */
export function configCheckCommand(file: string | null, io: CommandIo): number {
  const chosen = chooseConfigFile(file)
  const result = loadConfig({ file: chosen, environment: io.environment, dataDir: null })
  if (result.isValid) {
    io.stdout(`# ${chosen ?? 'no file: defaults'} and the environment\n${printConfig(result.values)}`)
    return 0
  }
  for (const problem of result.problems) io.stderr(`${problemText(problem)}\n`)
  io.stderr(`${result.problems.length} ${result.problems.length === 1 ? 'problem' : 'problems'}\n`)
  return 1
}
