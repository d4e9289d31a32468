import { describe, expect, test } from 'vitest'
import { createMetricRegistry, MAX_SERIES, observe } from './metric-registry.ts'
import { prometheusText } from './prometheus-text.ts'

describe("Prometheus' text", () => {
  test('counters, gauges and histograms, escaped; families without series are left out', () => {
    const registry = createMetricRegistry()
    registry.counter('nothing', 'Never counted')
    const counter = registry.counter('mesh.things', 'Things\nand \\', { textName: 'mesh_things_total' })
    counter.cell({ 'mesh.name': 'a"b\\c\n' }).value += 2
    const gauge = registry.gauge('level', 'Level')
    registry.onCollect(() => {
      gauge.cell({}).value = 1.5
    })
    const boundaries = [1, 10]
    const histogram = registry.histogram('time', 'Time', boundaries)
    for (const value of [0.5, 1, 1.1, 100]) observe(histogram.cell({ a: 'b' }), boundaries, value)
    expect(prometheusText(registry.collect())).toBe(`# HELP mesh_things_total Things\\nand \\\\
# TYPE mesh_things_total counter
mesh_things_total{mesh_name="a\\"b\\\\c\\n"} 2
# HELP level Level
# TYPE level gauge
level 1.5
# HELP time Time
# TYPE time histogram
time_bucket{a="b",le="1"} 2
time_bucket{a="b",le="10"} 3
time_bucket{a="b",le="+Inf"} 4
time_sum{a="b"} 102.6
time_count{a="b"} 4
`)
  })

  test('beyond the most series, all counts go to one, and none is lost', () => {
    const family = createMetricRegistry().counter('requests', 'Requests')
    for (let peer = 0; peer < MAX_SERIES + 100; peer++) family.cell({ peer: String(peer) }).value += 1
    const cells = [...family.cells()]
    expect(cells).toHaveLength(MAX_SERIES + 1)
    expect(family.cell({ overflow: 'true' }).value).toBe(100)
    expect(family.cell({ peer: '7' }).value).toBe(1)
  })
})
