import { Gauge, type Registry } from 'prom-client'
import type { SeriesLimiter } from './series-limiter.ts'

/** Registers `meshwatch_series_active{tenant}`. */
export function registerSeriesMetrics(registry: Registry, limiter: SeriesLimiter): void {
  new Gauge({
    name: 'meshwatch_series_active',
    help: 'Series of metrics that were told of today or yesterday (UTC), as ingest.seriesLimit counts them; a histogram of OTLP is one.',
    labelNames: ['tenant'],
    registers: [registry],
    collect() {
      for (const [tenant, series] of limiter.active()) this.set({ tenant }, series)
    },
  })
}
