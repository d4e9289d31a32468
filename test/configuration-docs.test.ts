import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configSchema } from '../app/config.ts'
import { environmentName } from '../app/configuration/environment-name.ts'
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
