import type { Labels } from '../../model/labels.ts'
import { numberArraysOf } from '../../storage/block-columns.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import { MAX_START_AGE_MS } from './accumulate-deltas.ts'
import { namedLabels } from './expand-series.ts'
import { readDeltaBases } from './read-delta-bases.ts'
import { readSamples, type SampleColumns, timesColumn } from './read-samples.ts'
import type { IndexedSeries } from './select-index.ts'
import {
  eachSeries,
  NO_RECORDED_VALUE,
  ofKinds,
  rowOf,
  type SeriesReader,
  STARTS_COLUMN,
  staleColumn,
} from './series-reader.ts'

/** Reads gauges and sums. */
export async function readPoints(reader: SeriesReader, index: readonly IndexedSeries[]): Promise<void> {
  const condition = `value_kind != 'e' OR ${NO_RECORDED_VALUE} = 1`
  const whole = index.filter(({ isDelta }) => !isDelta)
  const deltas = index.filter(({ isDelta }) => isDelta)
  await Promise.all([
    readNumbers(reader, whole, ['gauge', 'sum'], {
      name: 'metrics.points',
      table: 'otlp_points',
      stale: NO_RECORDED_VALUE,
      condition,
    }),
    readDeltas(reader, deltas, condition),
  ])
}

/** Reads samples that came in Prometheus' form, and those that rules recorded. */
export async function readRecorded(reader: SeriesReader, index: readonly IndexedSeries[]): Promise<void> {
  const { byId, scope } = ofKinds(reader, index, ['sample'])
  const isPlain = reader.selection.wantsStarts !== true
  const remembered = isPlain ? await reader.windows?.read(reader.storage, scope) : null
  if (remembered != null) {
    for (const [id, samples] of remembered) {
      for (const series of byId.get(id) ?? []) {
        const labels = wholeLabels(series)
        if (reader.isWanted(labels)) reader.collector.addReady(labels, samples)
      }
    }
    return reader.checkSize()
  }
  await readNumbers(reader, index, ['sample'], {
    name: 'metrics.samples',
    table: 'prom_samples',
    stale: 'is_stale',
  })
}

/** Series of the index are asked about again and again. */
const whole = new WeakMap<IndexedSeries, Labels>()

function wholeLabels(series: IndexedSeries): Labels {
  const known = whole.get(series)
  if (known !== undefined) return known
  const labels = namedLabels(series, '')
  whole.set(series, labels)
  return labels
}

async function readNumbers(
  reader: SeriesReader,
  index: readonly IndexedSeries[],
  kinds: Parameters<typeof ofKinds>[2],
  { stale, ...table }: Pick<SampleColumns, 'name' | 'table' | 'condition'> & { readonly stale: string },
): Promise<void> {
  const { byId, scope } = ofKinds(reader, index, kinds)
  const wantsStarts = reader.selection.wantsStarts === true
  const read = {
    ...table,
    columns: {
      times: timesColumn(scope),
      numbers: 'groupArray(value)',
      marks: staleColumn(stale),
      ...(wantsStarts ? { starts: STARTS_COLUMN } : {}),
    },
  }
  for await (const block of readSamples(reader.storage, scope, read)) {
    const times = numberArraysOf(block, 'times')
    const values = numberArraysOf(block, 'numbers')
    const marks = numberArraysOf(block, 'marks')
    const starts = wantsStarts ? numberArraysOf(block, 'starts') : null
    eachSeries(block, byId, (found, row) => {
      for (const series of found) {
        const labels = namedLabels(series, '')
        if (!reader.isWanted(labels)) continue
        reader.collector.add(labels, {
          baseMs: scope.fromMs,
          times: rowOf(times, row) ?? [],
          values: rowOf(values, row) ?? [],
          stale: rowOf(marks, row),
          starts: starts === null ? null : rowOf(starts, row),
        })
      }
    })
    reader.checkSize()
  }
}

async function readDeltas(
  reader: SeriesReader,
  index: readonly IndexedSeries[],
  condition: string,
): Promise<void> {
  const { byId, scope } = ofKinds(reader, index, ['gauge', 'sum'])
  if (byId.size === 0) return
  const table = { table: 'otlp_points', condition } as const
  const bases = await readDeltaBases(reader.storage, scope, { ...table, values: { total: 'value' } })
  const read = { ...table, name: 'metrics.deltas', columns: deltaColumns({ numbers: 'value' }), width: 4 }
  const ahead = { ...scope, toMs: scope.toMs + MAX_START_AGE_MS }
  for await (const block of readSamples(reader.storage, ahead, read)) {
    const rows = deltaRowsOf(block)
    eachSeries(block, byId, (found, row) => {
      for (const series of found) {
        const labels = namedLabels(series, '')
        if (!reader.isWanted(labels)) continue
        const base = bases.get(series.id)?.['total'] ?? null
        reader.collector.addDeltas(labels, {
          ...rows('numbers', row),
          baseMs: scope.fromMs,
          untilMs: scope.toMs,
          base,
        })
      }
    })
    reader.checkSize()
  }
}

/** The columns of a read of differences: times exact to the nanosecond, marks, starts, and the values named. */
export function deltaColumns(values: Readonly<Record<string, string>>): Record<string, string> {
  return {
    // Nanoseconds of 104 days are exact in a double.
    nanos: 'groupArray(toFloat64(toUnixTimestamp64Nano(ts) - {baseMs:Int64} * 1000000))',
    marks: staleColumn(NO_RECORDED_VALUE),
    starts: STARTS_COLUMN,
    ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, `groupArray(${value})`])),
  }
}

/** Reads rows of {@link deltaColumns}. */
export function deltaRowsOf(block: ColumnBlock) {
  const nanos = numberArraysOf(block, 'nanos')
  const marks = numberArraysOf(block, 'marks')
  const starts = numberArraysOf(block, 'starts')
  return (name: string, row: number) => ({
    nanos: rowOf(nanos, row) ?? [],
    values: rowOf(numberArraysOf(block, name), row) ?? [],
    stale: rowOf(marks, row),
    starts: rowOf(starts, row) ?? [],
  })
}
