import type { SampleCounts } from '../../promql/frontend/count-samples.ts'
import type { QueryReport } from '../../promql/frontend/query-report.ts'

/** `data.stats` of Prometheus' API. Seconds. */
export interface StatsJson {
  readonly timings: Readonly<Record<string, number>>
  readonly samples: {
    /** `[Unix seconds, samples]`; with `stats=all` only. */
    readonly totalQueryableSamplesPerStep?: readonly (readonly [number, number])[]
    readonly totalQueryableSamples: number
    readonly peakSamples: number
  }
}

/** Makes the statistics of an answer: those that Prometheus gives. `totalMs`: waiting included. */
export function queryStats(
  report: QueryReport,
  totalMs: number,
  looked: SampleCounts,
  isPerStep: boolean,
): StatsJson {
  const queuedMs = Math.max(0, ...report.parts.map((part) => part.queuedMs))
  const units = report.parts.flatMap(({ trace }) => trace?.units ?? [])
  const statementMs = units.flatMap(({ statements }) => statements).reduce((sum, { ms }) => sum + ms, 0)
  const evalMs = Math.max(0, totalMs - queuedMs)
  return {
    timings: {
      evalTotalTime: evalMs / 1000,
      resultSortTime: 0,
      queryPreparationTime: Math.min(statementMs, evalMs) / 1000,
      innerEvalTime: Math.max(0, evalMs - statementMs) / 1000,
      execQueueTime: queuedMs / 1000,
      execTotalTime: totalMs / 1000,
    },
    samples: {
      ...(isPerStep
        ? { totalQueryableSamplesPerStep: looked.perStep.map(([ms, count]) => [ms / 1000, count] as const) }
        : {}),
      totalQueryableSamples: looked.total,
      peakSamples: Math.max(looked.total === 0 ? 0 : 1, ...units.map(({ samples }) => samples)),
    },
  }
}
