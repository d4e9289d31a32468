/** A range query that both are asked. */
export interface PromqlQuestion {
  readonly what: string
  readonly expr: string
  readonly lengthMs: number
  readonly stepMs: number
  /** How many times faster than Prometheus ours must be. */
  readonly atLeast: number
}

const HOUR_MS = 3_600_000

/** The range queries of the published table, over the series of `promql-series.ts`. */
export const PROMQL_QUESTIONS: readonly PromqlQuestion[] = [
  {
    what: '1 h, step 15 s',
    expr: 'sum by (job) (rate(requests_total[5m]))',
    lengthMs: HOUR_MS,
    stepMs: 15_000,
    atLeast: 2,
  },
  {
    what: '1 h, step 15 s',
    expr: 'histogram_quantile(0.99, sum by (le, service) (rate(latency_seconds_bucket[5m])))',
    lengthMs: HOUR_MS,
    stepMs: 15_000,
    atLeast: 2,
  },
  ...[
    'max_over_time(day_total[5m])',
    'quantile_over_time(0.9, day_total[5m])',
    'max_over_time(rate(day_total[5m])[30m:1m])',
    'sum by (job) (max_over_time(day_total[5m]))',
  ].map((expr) => ({ what: '24 h, step 60 s', expr, lengthMs: 24 * HOUR_MS, stepMs: 60_000, atLeast: 1 })),
]

/** 200 expressions of the kind that rule files hold, each other than the next. */
export function ruleExpressions(): string[] {
  const perJob = (job: number): string[] => {
    const of = (more = '') => `requests_total{job="job-${job}"${more}}`
    const service = `service-${job}`
    return [
      `sum by (instance) (rate(${of()}[5m]))`,
      `sum(rate(${of(',code=~"20[5-9]"')}[5m])) / sum(rate(${of()}[5m]))`,
      `sum(rate(${of(',code="209"')}[5m])) / sum(rate(${of()}[5m])) > 0.2`,
      `sum by (code) (increase(${of()}[10m]))`,
      `max by (instance) (irate(${of()}[5m])) > 10000`,
      `sum(rate(${of()}[5m])) > 2 * sum(rate(${of()}[5m] offset 30m))`,
      `histogram_quantile(0.99, sum by (le) (rate(latency_seconds_bucket{service="${service}"}[5m])))`,
      `sum(rate(latency_seconds_bucket{service="${service}",le="0.25"}[5m])) / sum(rate(latency_seconds_bucket{service="${service}",le="+Inf"}[5m])) < 0.9`,
      `absent(${of()})`,
      `topk(3, sum by (instance) (rate(${of()}[5m]))) > 100000`,
    ]
  }
  return Array.from({ length: 20 }, (_, job) => perJob(job)).flat()
}
