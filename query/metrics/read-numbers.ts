import { METRIC_NAME } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import { freeNow } from '../../runtime/free-now.ts'
import { hexOf, numberArraysOf } from '../../storage/block-columns.ts'
import type { Storage } from '../../storage/storage.ts'
import type { SeriesSelection } from '../promql/series-source.ts'
import type { NumberKind, NumbersIndex } from './numbers-index.ts'
import { orderStretches, type SeriesSamples } from './order-stretches.ts'
import {
  numbersColumn,
  readSamples,
  type SampleColumns,
  type SampleScope,
  timesColumn,
} from './read-samples.ts'
import { NO_RECORDED_VALUE, STARTS_COLUMN } from './series-reader.ts'

/** Rows that hold numbers or the marks of ends, no exponential histograms. */
export const POINTS_CONDITION = `value_kind != 'e' OR ${NO_RECORDED_VALUE} = 1`

const TABLES: Readonly<
  Record<NumberKind, Pick<SampleColumns, 'name' | 'table' | 'condition'> & { readonly stale: string }>
> = {
  samples: { name: 'metrics.samples', table: 'prom_samples', stale: 'is_stale' },
  points: {
    name: 'metrics.points',
    table: 'otlp_points',
    stale: `${NO_RECORDED_VALUE} = 1`,
    condition: POINTS_CONDITION,
  },
}

/** Some series of an answer. */
export interface NumberRows {
  /** 32 hex digits each; some may not be of those that were asked for. */
  readonly ids: readonly string[]
  /** The samples of the series in a row; to be asked for once. */
  samplesOf(row: number): SeriesSamples
  /** Frees the memory of all samples that were given. */
  free(): void
}

/** The scope in which the samples of an index's series stand. */
export function numbersScope(selection: SeriesSelection, { metrics, ids }: NumbersIndex): SampleScope {
  return { ...selection, metrics, ids, isWhole: selection.matchers.every(isName) }
}

function isName({ name, op }: Matcher): boolean {
  return name === METRIC_NAME && op === '='
}

/** Reads series of one number per sample. Throws what `Storage.select` throws. */
export async function* readNumbers(
  kind: NumberKind,
  storage: Storage,
  scope: SampleScope,
  wantsStarts: boolean,
): AsyncGenerator<NumberRows> {
  const { stale, ...table } = TABLES[kind]
  const columns = {
    times: timesColumn(scope),
    numbers: numbersColumn(stale),
    ...(wantsStarts ? { starts: STARTS_COLUMN } : {}),
  }
  for await (const block of readSamples(storage, scope, { ...table, columns })) {
    const { ends, values: times } = numberArraysOf(block, 'times')
    const numbers = numberArraysOf(block, 'numbers').values
    const starts = wantsStarts ? numberArraysOf(block, 'starts').values : null
    const { stretch, free } = orderStretches(times, numbers, scope.fromMs, starts)
    freeNow(times)
    yield {
      ids: hexOf(block, 'series'),
      samplesOf: (row) => stretch(row === 0 ? 0 : (ends[row - 1] as number), ends[row] as number),
      free,
    }
  }
}
