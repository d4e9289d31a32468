import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configSchema } from '../app/config.ts'
import { environmentName } from '../app/configuration/environment-name.ts'
import { readConfigFile } from '../app/configuration/read-config-file.ts'
import { listSettings } from '../app/configuration/setting.ts'

const page = readFileSync(join(import.meta.dirname, '../docs/configuration.md'), 'utf8')

/** The rows of the table of keys: key, default, environment variable. */
const documented = page
  .split('\n')
  .map((line) => /^\| `([\w.]+)` \| `(.*?)` \| `(MESHWATCH_\w+)` \| \S/.exec(line))
  .flatMap((match) => (match === null ? [] : [[match[1], match[2], match[3]]]))

describe('docs/configuration.md', () => {
  test('lists exactly the keys of the schema, with their defaults and variables', () => {
    const real = listSettings(configSchema).map(({ path, defaultValue }) => [
      path.join('.'),
      typeof defaultValue === 'object' ? JSON.stringify(defaultValue) : String(defaultValue),
      environmentName(path),
    ])
    expect(real.length).toBeGreaterThan(30)
    expect(documented).toEqual(real)
  })

  test('every default is a valid value of its key', () => {
    for (const { path, schema, defaultValue } of listSettings(configSchema)) {
      expect(schema.safeParse(defaultValue).success, path.join('.')).toBe(true)
    }
  })
})

describe('README.md', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')

  test('its example of a configuration has no unknown keys', () => {
    const example = /```yaml\n(# meshwatch\.yaml\n.*?)```/s.exec(readme)?.[1] ?? ''
    const { values, problems } = readConfigFile(example, 'meshwatch.yaml', configSchema)
    const known = new Set(listSettings(configSchema).map(({ path }) => path.join('.')))
    expect(problems).toEqual([])
    expect(values.length).toBeGreaterThan(5)
    expect(values.map(({ path }) => path.join('.')).filter((path) => !known.has(path))).toEqual([])
  })

  test('its links lead somewhere', () => {
    const targets = [...readme.matchAll(/\]\((?!http)([^)#]+)\)/g)].map((match) => match[1] ?? '')
    expect(targets.length).toBeGreaterThan(3)
    expect(targets.filter((target) => !existsSync(join(import.meta.dirname, '..', target)))).toEqual([])
  })
})
