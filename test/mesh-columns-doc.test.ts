import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { KNOWN_KEYS } from '../ingest/otlp/known-keys.ts'

test('docs/mesh-columns.md names every attribute that feeds a column', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../docs/mesh-columns.md'), 'utf8')
  expect(KNOWN_KEYS.filter((key) => !text.includes(`\`${key}\``))).toEqual([])
})
