import { afterAll, beforeAll, expect, test } from 'vitest'
import { storeMessage } from '../../test/support/decode-message.ts'
import { metricsMessage, sumMetric } from '../../test/support/metric-messages.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { listMetadata } from './list-metadata.ts'

const NOW = Date.UTC(2026, 0, 4, 4)

let deps: OpenQueryDeps
beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW })
  const point = { timeUnixNano: String(BigInt(NOW) * 1_000_000n), asInt: '1' }
  const message = metricsMessage([
    sumMetric([point], { name: 'requests', description: 'By OTLP.', unit: '1' }),
    sumMetric([point], { name: 'requests', description: 'Said otherwise.', unit: '1' }),
  ])
  await storeMessage(deps.storage, 'metrics', message, { now: NOW, tenant: 'default' })
  await deps.storage.command(
    `INSERT INTO prom_metadata (tenant, name, day, type, unit, help, version) VALUES
('default', 'requests_total', '2026-01-04', 'counter', '', 'By remote write.', 1),
('default', 'requests_total', '2026-01-03', 'gauge', '', 'Before.', 0),
('default', 'build', '2026-01-03', 'info', 's', 'Of a day.', 7),
('other', 'theirs', '2026-01-04', 'gauge', '', '', 1)`,
  )
})
afterAll(() => deps.close())

test('tells what OTLP says and what was said last by remote write', async () => {
  const all = await listMetadata(deps.storage, { tenant: 'default', name: null, limit: 10 })
  expect(all).toEqual([
    { name: 'build', type: 'info', help: 'Of a day.', unit: 's' },
    { name: 'requests_total', type: 'counter', help: 'By OTLP.', unit: '1', otelName: 'requests' },
    { name: 'requests_total', type: 'counter', help: 'Said otherwise.', unit: '1', otelName: 'requests' },
    { name: 'requests_total', type: 'counter', help: 'By remote write.', unit: '' },
  ])
  const one = await listMetadata(deps.storage, { tenant: 'default', name: 'build', limit: 10 })
  expect(one.map(({ name }) => name)).toEqual(['build'])
  expect(await listMetadata(deps.storage, { tenant: 'nobody', name: null, limit: 10 })).toEqual([])
})
