import type { Clock } from '../../../runtime/clock.ts'
import { errorMessage } from '../../../runtime/errors.ts'
import { numberArraysOf } from '../../../storage/block-columns.ts'
import type { Storage } from '../../../storage/storage.ts'
import { createQueryEngine } from '../../promql/create-query-engine.ts'
import { createMemorySeriesSource } from '../../promql/memory-series-source.ts'
import type { GridFunction } from '../../promql/series-source.ts'
import { STALE_NAN, STALE_NAN_BITS } from '../stale-nan.ts'
import { GRID_FUNCTIONS, GRID_SETTINGS, type GridFunctionSql, gridParameters } from './grid-functions.ts'

/** The ways in which this ClickHouse computes functions rightly, and why others are not used. */
export interface GridAbilities {
  readonly functions: ReadonlyMap<GridFunction, GridFunctionSql>
  readonly refused: readonly { readonly compute: GridFunction; readonly reason: string }[]
}

interface Probe {
  readonly samples: readonly (readonly [timeMs: number, value: number | 'stale'])[]
  readonly startMs: number
  readonly stepMs: number
  readonly count: number
  readonly windowMs: number
}

const NAN = Number.NaN
/** Samples whose windows meet every rule that has been seen broken. */
const PROBES: readonly Probe[] = [
  {
    // Resets, a gap, samples on the edges of windows, a counter near zero, milliseconds.
    samples: [
      [0, 1],
      [15_000, 4],
      [30_001, 9],
      [45_000, 2],
      [60_000, 3.5],
      [75_250, 3.5],
      [200_000, 100],
      [215_000, 0],
      [230_000, 40],
    ],
    startMs: 0,
    stepMs: 15_000,
    count: 25,
    windowMs: 60_000,
  },
  {
    // Steps and windows of less than a second, values below zero and infinite ones.
    samples: [
      [100, -5],
      [350, 2],
      [600, -5.5],
      [601, Number.POSITIVE_INFINITY],
      [900, 7],
      [1400, 8],
    ],
    startMs: -250,
    stepMs: 125,
    count: 30,
    windowMs: 500,
  },
  {
    // NaN before, between and behind numbers; marks of the end.
    samples: [
      [10_000, NAN],
      [20_000, NAN],
      [30_000, 1],
      [40_000, NAN],
      [50_000, NAN],
      [60_000, 1],
      [70_000, 'stale'],
      [80_000, 1],
      [90_000, 2],
      [100_000, 'stale'],
    ],
    startMs: 5000,
    stepMs: 5000,
    count: 30,
    windowMs: 35_000,
  },
]

/** Tries each function on samples whose answers are known from the evaluation in this process. Throws what `Storage.selectColumns` throws when it is away. */
export async function checkGridFunctions(storage: Storage, clock: Clock): Promise<GridAbilities> {
  const functions = new Map<GridFunction, GridFunctionSql>()
  const refused: { compute: GridFunction; reason: string }[] = []
  // So that an engine that is away is no reason against the functions.
  await storage.ping()
  for (const [name, ways] of Object.entries(GRID_FUNCTIONS)) {
    const compute = name as GridFunction
    let reason = ''
    for (const way of ways) {
      reason = await faultOf(storage, clock, compute, way)
      if (reason !== '') continue
      functions.set(compute, way)
      break
    }
    if (reason !== '') refused.push({ compute, reason })
  }
  return { functions, refused }
}

async function faultOf(
  storage: Storage,
  clock: Clock,
  compute: GridFunction,
  way: GridFunctionSql,
): Promise<string> {
  for (const [number, probe] of PROBES.entries()) {
    try {
      const [expected, found] = await Promise.all([
        evaluated(clock, compute, probe),
        asked(storage, way, probe),
      ])
      for (const [i, value] of expected.entries()) {
        const other = found[i]
        if (!isSame(value, other)) return `probe ${number + 1}: ${other} instead of ${value} at moment ${i}`
      }
    } catch (error) {
      return errorMessage(error)
    }
  }
  return ''
}

/** What the evaluation here gives; undefined: nothing. */
async function evaluated(
  clock: Clock,
  compute: GridFunction,
  { samples, startMs, stepMs, count, windowMs }: Probe,
): Promise<readonly (number | undefined)[]> {
  const source = createMemorySeriesSource()
  for (const [timeMs, value] of samples) {
    if (value === 'stale') source.append(['__name__', 'p_total'], timeMs, NAN, true)
    else source.append(['__name__', 'p_total'], timeMs, value)
  }
  const expr = compute === 'latest' ? 'p_total' : `${compute}(p_total[${windowMs}ms])`
  const engine = createQueryEngine({ source, clock, lookbackMs: windowMs })
  const endMs = startMs + (count - 1) * stepMs
  const result = await engine.range({ tenant: '', expr, startMs, endMs, stepMs })
  const values = new Array<number | undefined>(count).fill(undefined)
  const [series] = result.type === 'matrix' ? result.matrix : []
  for (const [i, timeMs] of series?.timestamps.entries() ?? []) {
    values[(timeMs - startMs) / stepMs] = series?.values[i]
  }
  return values
}

async function asked(
  storage: Storage,
  { aggregate, sample, value, takesMarkers }: GridFunctionSql,
  probe: Probe,
): Promise<readonly (number | undefined)[]> {
  const rows = probe.samples.filter((row) => takesMarkers || row[1] !== 'stale')
  const { blocks } = await storage.selectColumns({
    name: 'metrics.gridFunctions',
    tenant: '',
    sql: `SELECT arrayMap(x -> ifNull(${value('x', probe.windowMs)}, ${STALE_NAN}), ${aggregate}${gridParameters(probe, probe.windowMs)}(ts, ${sample('number', 'mark')})) AS grid
FROM (
  SELECT fromUnixTimestamp64Milli(time) AS ts, number, mark = 1 AS mark
  FROM (SELECT 1) ARRAY JOIN {times:Array(Int64)} AS time, {numbers:Array(Float64)} AS number, {marks:Array(UInt8)} AS mark
  WHERE {tenant:String} = ''
)`,
    params: {
      times: rows.map(([timeMs]) => timeMs),
      numbers: rows.map(([, number]) => (number === 'stale' ? NAN : number)),
      marks: rows.map(([, number]) => (number === 'stale' ? 1 : 0)),
    },
    settings: GRID_SETTINGS,
  })
  const [block] = blocks
  const grid = block === undefined ? new Float64Array(0) : numberArraysOf(block, 'grid').values
  if (!(grid instanceof Float64Array)) return []
  const halves = new Uint32Array(grid.buffer, grid.byteOffset, grid.length * 2)
  return Array.from(grid, (number, i) =>
    halves[2 * i] === STALE_NAN_BITS[0] && halves[2 * i + 1] === STALE_NAN_BITS[1] ? undefined : number,
  )
}

function isSame(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (Object.is(a, b) || a === b) return true
  return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b))
}
