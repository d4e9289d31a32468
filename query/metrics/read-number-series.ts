import { numberArraysOf } from '../../storage/block-columns.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import { MAX_START_AGE_MS, onlyBase } from './accumulate-deltas.ts'
import { namedLabels } from './expand-series.ts'
import { type NumberKind, type NumbersIndex, numbersIndex } from './numbers-index.ts'
import type { SeriesSamples } from './order-stretches.ts'
import { readDeltaBases } from './read-delta-bases.ts'
import { numbersScope, POINTS_CONDITION, readNumbers } from './read-numbers.ts'
import { readSamples } from './read-samples.ts'
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
  const numbers = numbersIndex('points', index, reader.isWanted)
  await Promise.all([
    readWhole('points', reader, numbers, (id, samples) => {
      // Several stored series may have the same labels.
      for (const { labels } of numbers.byId.get(id) ?? []) reader.collector.addReady(labels, samples)
    }),
    ...[false, true].map((isEndless) =>
      readDeltas(
        reader,
        index.filter(({ isDelta, isLevel }) => isDelta && isLevel === isEndless),
        isEndless,
      ),
    ),
  ])
}

/** Reads samples that came in Prometheus' form, and those that rules recorded. */
export async function readRecorded(reader: SeriesReader, index: readonly IndexedSeries[]): Promise<void> {
  const numbers = numbersIndex('samples', index, reader.isWanted)
  const add = (id: string, samples: SeriesSamples) => {
    for (const { labels, rank } of numbers.byId.get(id) ?? [])
      reader.collector.addRanked(rank, labels, samples)
  }
  const isPlain = reader.selection.wantsStarts !== true
  const scope = numbersScope(reader.selection, numbers)
  const remembered = isPlain ? await reader.windows?.read(reader.storage, scope) : null
  if (remembered == null) return readWhole('samples', reader, numbers, add)
  for (const [id, samples] of remembered) add(id, samples)
  reader.checkSize()
}

async function readWhole(
  kind: NumberKind,
  { storage, selection, checkSize }: SeriesReader,
  numbers: NumbersIndex,
  add: (id: string, samples: SeriesSamples) => void,
): Promise<void> {
  const scope = numbersScope(selection, numbers)
  for await (const rows of readNumbers(kind, storage, scope, selection.wantsStarts === true)) {
    for (let row = 0; row < rows.ids.length; row += 1) add(rows.ids[row] as string, rows.samplesOf(row))
    checkSize()
  }
}

async function readDeltas(
  reader: SeriesReader,
  index: readonly IndexedSeries[],
  isEndless: boolean,
): Promise<void> {
  const { byId, scope } = ofKinds(reader, index, ['gauge', 'sum'])
  if (byId.size === 0) return
  const table = { table: 'otlp_points', condition: POINTS_CONDITION } as const
  const bases = await readDeltaBases(reader.storage, scope, { ...table, isEndless })
  const read = { ...table, name: 'metrics.deltas', columns: deltaColumns({ numbers: 'value' }), width: 4 }
  const ahead = { ...scope, toMs: scope.toMs + MAX_START_AGE_MS }
  const left = new Map(bases)
  for await (const block of readSamples(reader.storage, ahead, read)) {
    const rows = deltaRowsOf(block)
    eachSeries(block, byId, (found, row) => {
      for (const series of found) {
        const labels = namedLabels(series, '')
        if (!reader.isWanted(labels)) continue
        const base = bases.get(series.id) ?? null
        left.delete(series.id)
        reader.collector.addDeltas(labels, {
          ...rows('numbers', row),
          baseMs: scope.fromMs,
          untilMs: scope.toMs,
          base,
          isEndless,
        })
      }
    })
    reader.checkSize()
  }
  for (const [id, base] of left) {
    for (const series of byId.get(id) ?? []) {
      const labels = namedLabels(series, '')
      if (reader.isWanted(labels)) reader.collector.addDeltas(labels, onlyBase(scope, base, isEndless))
    }
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
