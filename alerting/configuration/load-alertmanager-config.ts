import { globSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import type { AlertmanagerConfig } from './alertmanager-config.ts'
import { parseAlertmanagerConfig } from './parse-alertmanager-config.ts'

/** Reads a configuration file with its templates. Throws CANNOT_START, naming every problem with its place. */
export function loadAlertmanagerConfig(path: string): AlertmanagerConfig {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new AppError(
      'CANNOT_START',
      `Cannot read the alerting configuration ${path}: ${errorMessage(error)}`,
      {
        cause: error,
      },
    )
  }
  const folder = dirname(resolve(path))
  const { config, problems } = parseAlertmanagerConfig(text, {
    folder,
    readTemplates: (patterns) =>
      patterns
        .flatMap((pattern) => globSync(pattern, { cwd: folder }).sort())
        .map((name) => resolve(folder, name))
        .map((file) => ({ path: file, text: readFileSync(file, 'utf8') })),
  })
  if (config !== null) return config
  const said = problems.map(
    ({ path: place, message, line, column }) =>
      `${path}:${line}:${column}: ${place === '' ? '' : `${place}: `}${message}`,
  )
  const list = said.length === 1 ? ` ${said[0]}` : `\n${said.map((problem) => `  ${problem}`).join('\n')}`
  throw new AppError('CANNOT_START', `Cannot use the alerting configuration:${list}`, {
    details: { problems },
  })
}
