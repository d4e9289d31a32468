import { stringify } from 'yaml'
import { HIDDEN } from '../../runtime/secret.ts'
import { configSchema } from '../config.ts'
import type { RawValue } from './raw-config.ts'
import { listSettings } from './setting.ts'

/** The configuration in force as YAML, in the form the user writes, secrets hidden. A secret from a file is shown as the file's name. */
export function printConfig(values: readonly RawValue[]): string {
  const given = new Map(values.map((raw) => [raw.path.join('.'), raw.value]))
  const tree: Record<string, unknown> = {}
  for (const { path, defaultValue, isSecret, fileTwin } of listSettings(configSchema)) {
    const name = path.join('.')
    const value = given.has(name) ? given.get(name) : defaultValue
    let node = tree
    for (const key of path.slice(0, -1)) {
      node[key] ??= {}
      node = node[key] as Record<string, unknown>
    }
    const isFromFile = fileTwin !== null && (given.get(fileTwin.join('.')) ?? null) !== null
    const hidden = isFromFile || (value ?? null) === null ? null : HIDDEN
    node[path.at(-1) ?? ''] = isSecret ? hidden : (value ?? null)
  }
  return stringify(tree)
}
