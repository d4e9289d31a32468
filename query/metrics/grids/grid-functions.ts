import type { GridFunction } from '../../promql/series-source.ts'
import { STALE_NAN } from '../stale-nan.ts'

/** How ClickHouse computes a function of samples in windows before the moments of a grid. */
export interface GridFunctionSql {
  /** The aggregate function. */
  readonly aggregate: string
  /** What stands for a sample; `marker`: the sample says that the series has ended. */
  readonly sample: (value: string, marker: string) => string
  /** What is made of each value of the grid; null stands for none. */
  readonly value: (value: string, windowMs: number) => string
  /** Samples that say that a series has ended take part. */
  readonly takesMarkers: boolean
}

/** Equal to itself, and less than any number that is counted. */
const STANDS_FOR_NAN = '-1.7976931348623155e308'

const plain = (aggregate: string): GridFunctionSql => ({
  aggregate,
  sample: (value) => value,
  value: (value) => value,
  takesMarkers: false,
})

/** The ways that are tried for each function, the best one first. Which of them are right on this ClickHouse is found out by asking it. */
export const GRID_FUNCTIONS: Readonly<Record<GridFunction, readonly GridFunctionSql[]>> = {
  latest: [
    {
      aggregate: 'timeSeriesLastToGrid',
      sample: (value, marker) => `if(${marker}, ${STALE_NAN}, ${value})`,
      value: (value) => value,
      takesMarkers: true,
    },
  ],
  last_over_time: [plain('timeSeriesLastToGrid')],
  present_over_time: [
    { ...plain('timeSeriesLastToGrid'), value: (value) => `if(isNull(${value}), NULL, 1.0)` },
  ],
  rate: [plain('timeSeriesRateToGrid')],
  increase: [
    plain('timeSeriesIncreaseToGrid'),
    {
      ...plain('timeSeriesRateToGrid'),
      value: (value, windowMs) => `${value} * ${windowMs / 1000}`,
    },
  ],
  delta: [plain('timeSeriesDeltaToGrid')],
  irate: [plain('timeSeriesInstantRateToGrid')],
  idelta: [plain('timeSeriesInstantDeltaToGrid')],
  resets: [plain('timeSeriesResetsToGrid')],
  changes: [
    {
      ...plain('timeSeriesChangesToGrid'),
      // A NaN after a NaN is no change, but is one to ClickHouse.
      sample: (value) => `if(isNaN(${value}), ${STANDS_FOR_NAN}, ${value})`,
    },
  ],
}

/** The parameters of a grid's aggregate function. Times are whole milliseconds. */
export function gridParameters(
  { startMs, stepMs, count }: { readonly startMs: number; readonly stepMs: number; readonly count: number },
  windowMs: number,
): string {
  const endMs = startMs + (count - 1) * stepMs
  const seconds = (ms: number) => `toDecimal64('${(ms / 1000).toFixed(3)}', 3)`
  return `(fromUnixTimestamp64Milli(${startMs}), fromUnixTimestamp64Milli(${endMs}), ${seconds(count === 1 ? 1 : stepMs)}, ${seconds(windowMs)})`
}

/** The setting without which the aggregate functions are refused. */
export const GRID_SETTINGS = { allow_experimental_time_series_aggregate_functions: 1 } as const
