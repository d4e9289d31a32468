import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { MESSAGE_REASONS } from '../ingest/create-refusals.ts'
import { REJECT_REASONS } from '../ingest/otlp/decode-outcome.ts'
import { createByteBudget } from '../ingest/receivers/byte-budget.ts'
import { createReceiverMetrics } from '../ingest/receivers/receiver-metrics.ts'

const GUIDE = readFileSync(join(import.meta.dirname, '../docs/otlp.md'), 'utf8')

describe('docs/otlp.md', () => {
  test.each([...MESSAGE_REASONS, ...Object.keys(REJECT_REASONS)])('explains the reason %s', (reason) => {
    expect(GUIDE).toContain(`\`${reason}\``)
  })

  test('names every metric of the receivers', () => {
    const registry = new Registry()
    createReceiverMetrics(registry, createByteBudget(1))
    const names = registry.getMetricsAsArray().map(({ name }) => name)
    expect(names.length).toBeGreaterThan(3)
    expect(names.filter((name) => !GUIDE.includes(`\`${name}`))).toEqual([])
  })
})
