import { expect, test } from 'vitest'
import { decodeInto, readBlocks } from '../../test/support/decode-message.ts'
import { metricsMessage, sumMetric } from '../../test/support/metric-messages.ts'
import { text } from '../../test/support/stored-attributes.ts'
import { targetOf } from './target-info.ts'
import { createTelemetryBlocks } from './telemetry-blocks.ts'

const ORIGIN = { job: 'shop/cart', instance: 'i-1', isNamed: true }

test.each<[string, [string, string][], object, readonly string[] | null]>([
  [
    'attributes as labels, without those that identify the resource',
    [
      ['service.name', 'cart'],
      ['service.namespace', 'shop'],
      ['service.instance.id', 'i-1'],
      ['host.name', 'h'],
      ['1st', 'x'],
    ],
    ORIGIN,
    ['host_name', 'h', 'instance', 'i-1', 'job', 'shop/cart', 'key_1st', 'x'],
  ],
  ['nothing but the identity', [['service.name', 'cart']], ORIGIN, null],
  ['only empty values beside it', [['host.name', '']], ORIGIN, null],
  [
    'a resource that nothing identifies',
    [['host.name', 'h']],
    { job: 'unknown_service', instance: '', isNamed: false },
    null,
  ],
  [
    'an instance without a service',
    [['host.name', 'h']],
    { job: 'unknown_service', instance: 'i-1', isNamed: false },
    ['host_name', 'h', 'instance', 'i-1', 'job', 'unknown_service'],
  ],
])('%s', (_name, attributes, origin, labels) => {
  expect(targetOf(attributes, origin as typeof ORIGIN)?.labels ?? null).toEqual(labels)
})

const NOW = Date.UTC(2026, 0, 2, 4)
const resource = {
  attributes: [text('service.name', 'cart'), text('service.instance.id', 'i-1'), text('host.name', 'h')],
}

function message(...secondsAgo: readonly number[]) {
  const points = secondsAgo.map((seconds) => ({
    timeUnixNano: String(BigInt(NOW - seconds * 1000) * 1_000_000n + 999_999n),
    asInt: '1',
  }))
  return metricsMessage([sumMetric(points), sumMetric(points, { name: 'other' })], resource)
}

test('a message gives one sample of each resource, at its last point, and its series once a day', () => {
  const blocks = createTelemetryBlocks({ maxAttributes: 128 })
  const options = { now: NOW, tenant: 'default' }
  decodeInto(blocks, 'metrics', message(30, 10, 20), options)
  decodeInto(blocks, 'metrics', message(5), options)
  const rows = readBlocks(blocks)
  const samples = rows['prom_samples'] ?? []
  expect(samples.map(({ metric, ts }) => [metric, ts])).toEqual([
    ['target_info', BigInt(NOW - 10_000)],
    ['target_info', BigInt(NOW - 5000)],
  ])
  const series = (rows['prom_series'] ?? []).filter((row) => row['name'] === 'target_info')
  expect(series).toHaveLength(1)
  expect(series[0]?.['id']).toBe(samples[0]?.['series'])
  expect(series[0]?.['labels']).toEqual([
    ['host_name', 'h'],
    ['instance', 'i-1'],
    ['job', 'cart'],
  ])
})

test('a message that is taken back is told of again, one without good points not at all', () => {
  const blocks = createTelemetryBlocks({ maxAttributes: 128 })
  const options = { now: NOW, tenant: 'default' }
  decodeInto(blocks, 'metrics', message(1), options)
  blocks.rollback()
  expect(readBlocks(blocks)['prom_samples'] ?? []).toEqual([])
  decodeInto(blocks, 'metrics', message(1), options)
  const names = (readBlocks(blocks)['prom_series'] ?? []).map(({ name }) => name)
  expect(names).toContain('target_info')
  const empty = createTelemetryBlocks({ maxAttributes: 128 })
  decodeInto(empty, 'metrics', message(-1e9), options)
  expect(readBlocks(empty)['prom_samples'] ?? []).toEqual([])
})
