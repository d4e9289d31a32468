import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createRegistry, renderMetrics } from './metrics.ts'

test('the metrics of two threads are one text, equal series summed', async () => {
  const thread = (add: number) => {
    const registry = new Registry()
    new Counter({ name: 'c_total', help: 'c', labelNames: ['signal'], registers: [registry] }).inc(
      { signal: 'traces' },
      add,
    )
    new Histogram({ name: 'h', help: 'h', buckets: [1], registers: [registry] }).observe(add)
    return registry
  }
  const main = thread(1)
  new Gauge({ name: 'only_main', help: 'g', registers: [main] }).set(7)
  const text = await renderMetrics(main, [await thread(2).getMetricsAsJSON()])
  expect(text).toContain('c_total{signal="traces"} 3\n')
  expect(text).toContain('h_bucket{le="1"} 1\n')
  expect(text).toContain('h_count 2\n')
  expect(text).toContain('only_main 7\n')
})

test('process metrics are there when asked for', async () => {
  expect(await renderMetrics(createRegistry({ withProcessMetrics: true }), [])).toContain(
    'process_resident_memory_bytes',
  )
  expect(await renderMetrics(createRegistry({ withProcessMetrics: false }), [])).not.toContain('process_')
})
