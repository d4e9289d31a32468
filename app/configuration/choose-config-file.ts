import { existsSync } from 'node:fs'

/** What is read when no file is named, if it is there. */
export const DEFAULT_CONFIG_FILE = 'meshwatch.yaml'

/** The configuration file to read: the named one, else `meshwatch.yaml` in the working directory if it exists, else none. */
export function chooseConfigFile(named: string | null): string | null {
  return named ?? (existsSync(DEFAULT_CONFIG_FILE) ? DEFAULT_CONFIG_FILE : null)
}
