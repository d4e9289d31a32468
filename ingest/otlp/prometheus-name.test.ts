import { describe, expect, test } from 'vitest'
import { anyValueText, prometheusLabels } from './prometheus-labels.ts'
import { prometheusName } from './prometheus-name.ts'

describe('the name of a metric in Prometheus', () => {
  test.each<[string, string, 'counter' | 'gauge' | 'other', string]>([
    ['http.server.request.duration', 's', 'other', 'http_server_request_duration_seconds'],
    ['http.server.requests', '{request}', 'counter', 'http_server_requests_total'],
    ['system.io', 'By', 'counter', 'system_io_bytes_total'],
    ['system.io.total.bytes', 'By', 'counter', 'system_io_bytes_total'],
    ['fs.speed', 'By/s', 'gauge', 'fs_speed_bytes_per_second'],
    ['cpu.utilization', '1', 'gauge', 'cpu_utilization_ratio'],
    ['cpu.time', '1', 'counter', 'cpu_time_total'],
    ['requests', 'furlong', 'other', 'requests_furlong'],
    ['a  b__c', '', 'other', 'a_b_c'],
    ['2xx', '', 'other', '_2xx'],
    ['a:b', '', 'other', 'a:b'],
    ['☕', '', 'other', '_'],
    ['istio_requests_total', '', 'counter', 'istio_requests_total'],
    ['istio_request_duration_milliseconds', 'ms', 'other', 'istio_request_duration_milliseconds'],
    ['envoy_cluster_upstream_rq_retry', '', 'counter', 'envoy_cluster_upstream_rq_retry'],
    ['istio.requests', '', 'counter', 'istio_requests_total'],
  ])('%s in %j, a %s, is %s', (name, unit, kind, expected) => {
    expect(prometheusName({ name, unit, isCounter: kind === 'counter', isGauge: kind === 'gauge' })).toBe(
      expected,
    )
  })
})

describe('the labels of a series in Prometheus', () => {
  const origin = { job: 'shop/cart', instance: '' }

  test('are the attributes by their names there', () => {
    const attributes = [
      ['http.method', 'GET'],
      ['9lives', 'x'],
      ['empty', ''],
      ['__name__', 'y'],
    ] as const
    expect([...prometheusLabels(attributes, { ...origin, instance: 'i-1' })]).toEqual([
      ['http_method', 'GET'],
      ['instance', 'i-1'],
      ['job', 'shop/cart'],
      ['key_9lives', 'x'],
    ])
  })

  test('join values whose names become equal', () => {
    const labels = prometheusLabels([['a_b', '2'] as const, ['a.b', '1'] as const], origin)
    expect([...labels]).toEqual([
      ['a_b', '1;2'],
      ['job', 'shop/cart'],
    ])
  })

  test.each<[string, string]>([
    ['{}', ''],
    ['{"stringValue":"a b"}', 'a b'],
    ['{"intValue":"9007199254740993"}', '9007199254740993'],
    ['{"boolValue":false}', 'false'],
    ['{"doubleValue":0.5}', '0.5'],
    ['{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"x"},{}]}}', '[1,"x",null]'],
    ['{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":true}}]}}', '{"k":true}'],
  ])('%s is the text %j', (json, expected) => {
    expect(anyValueText(json)).toBe(expected)
  })
})
