import { expect, test } from 'vitest'
import { decodeInto, readBlocks } from '../../test/support/decode-message.ts'
import { encodeRequest } from '../../test/support/otlp-messages.ts'
import { text } from '../../test/support/stored-attributes.ts'
import { createTelemetryBlocks } from './telemetry-blocks.ts'

const NOW = Date.UTC(2026, 0, 2, 4)

/** Log records whose every attribute key is new. */
function logs(first: number, count: number, time = BigInt(NOW) * 1_000_000n): Uint8Array {
  const logRecords = Array.from({ length: count }, (_, index) => ({
    timeUnixNano: String(time),
    attributes: [text(`key ${first + index}`, 'x')],
  }))
  return encodeRequest('logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
}

test('messages that are refused whole fill no memory', () => {
  const blocks = createTelemetryBlocks({ maxAttributes: 128 })
  const tenantIds: number[] = []
  for (let round = 0; round < 5; round++) {
    const outcome = decodeInto(blocks, 'logs', logs(round * 100_000, 100_000, 1n), { now: NOW })
    expect(outcome).toMatchObject({ accepted: 0, rejected: 100_000 })
    blocks.rollback()
    // A new tenant gets the next number: it tells how many strings are kept.
    tenantIds.push(blocks.begin(`tenant ${round}`, 1))
  }
  expect(Math.max(...tenantIds)).toBeLessThan(310_000)
  decodeInto(blocks, 'logs', logs(0, 2), { now: NOW })
  expect(readBlocks(blocks)['logs']?.map((row) => row['attrs'])).toEqual([[['key 0', 'x']], [['key 1', 'x']]])
})

test('every table of telemetry has one block, but those that views fill', () => {
  const { blocks } = createTelemetryBlocks({ maxAttributes: 1 })
  expect(blocks.map(({ table }) => table)).toEqual([
    'origins',
    'attribute_keys',
    'spans',
    'logs',
    'metric_series',
    'prom_series',
    'otlp_points',
    'otlp_histograms',
    'otlp_exponential_histograms',
    'otlp_summaries',
    'metric_exemplars',
    'prom_samples',
    'prom_histograms',
    'prom_metadata',
  ])
})
