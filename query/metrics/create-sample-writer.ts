import type { FloatHistogram } from '../../model/float-histogram.ts'
import { type Labels, labelsKey, labelValue, METRIC_NAME, withLabel } from '../../model/labels.ts'
import { seriesId } from '../../model/series-id.ts'
import type { NativeInsert, Storage } from '../../storage/storage.ts'
import { fixedColumn, mapColumn, nativeBlock, numberColumn, textColumn } from './native-samples.ts'
import { type FloatRow, floatColumns, type HistogramRow, histogramColumns } from './sample-columns.ts'

/** A sample to be stored. Its labels have a metric name. */
export interface SampleToWrite {
  readonly labels: Labels
  /** Epoch milliseconds. */
  readonly timestampMs: number
  readonly value: number
  /** The sample only says that the series has ended. */
  readonly isStale?: boolean
  /** The sample is this native histogram, and `value` means nothing. */
  readonly histogram?: FloatHistogram | null | undefined
  /** When the counter behind the sample began to count, epoch milliseconds; absent or 0: not known. */
  readonly startMs?: number | undefined
}

/** Stores samples that are Prometheus' own already: what rules record. */
export interface SampleWriter {
  /**
   * Stores samples of one tenant; what is stored is seen by the next query. The same `token` is stored once, however often it is tried. Throws what
   * {@link Storage.insertNative} throws; then nothing or the series alone may be stored, or those samples that are numbers.
   */
  write(tenant: string, samples: readonly SampleToWrite[], token: string): Promise<void>
}

const DAY_MS = 86_400_000
/** Beyond this the writer learns anew which series it has told of today. */
const MAX_KNOWN = 500_000

/** Makes a writer. It remembers which series it has told of on which day. */
export function createSampleWriter(storage: Storage): SampleWriter {
  const told = new Set<string>()
  return {
    async write(tenant, samples, token) {
      if (samples.length === 0) return
      if (told.size > MAX_KNOWN) told.clear()
      const fresh = new Map<string, { readonly labels: Labels; readonly day: number }>()
      for (const { labels, timestampMs } of samples) {
        const day = Math.floor(timestampMs / DAY_MS)
        const key = `${day} ${tenant.length} ${tenant} ${labelsKey(labels)}`
        if (!told.has(key)) fresh.set(key, { labels, day })
      }
      if (fresh.size > 0) await storage.insertNative(seriesInsert(tenant, [...fresh.values()], token))
      for (const insert of sampleInserts(tenant, samples, token)) await storage.insertNative(insert)
      for (const key of fresh.keys()) told.add(key)
    },
  }
}

function seriesInsert(
  tenant: string,
  series: readonly { readonly labels: Labels; readonly day: number }[],
  token: string,
): NativeInsert {
  const names = series.map(({ labels }) => labelValue(labels, METRIC_NAME))
  const constant = (value: number) => series.map(() => value)
  const byte = (bytes: Buffer, value: number, offset: number) => bytes.writeUInt8(value, offset)
  const columns = [
    textColumn(
      'tenant',
      series.map(() => tenant),
    ),
    textColumn('name', names),
    fixedColumn(
      'id',
      16,
      series.map(({ labels }) => seriesId(labels)),
    ),
    numberColumn(
      'day',
      'Date',
      2,
      series.map(({ day }) => day),
      (bytes, value, offset) => bytes.writeUInt16LE(value, offset),
    ),
    numberColumn('kind', "Enum8('sample' = 6)", 1, constant(6), byte),
    textColumn('metric', names),
    mapColumn(
      'labels',
      series.map(({ labels }) => withLabel(labels, METRIC_NAME, '')),
    ),
  ]
  return insertOf('prom_series', series.length, columns, `${token} series`)
}

function sampleInserts(tenant: string, samples: readonly SampleToWrite[], token: string): NativeInsert[] {
  const floats: FloatRow[] = []
  const histograms: HistogramRow[] = []
  for (const { labels, timestampMs, startMs = 0, value, isStale = false, histogram } of samples) {
    const metric = labelValue(labels, METRIC_NAME)
    const sample = { metric, seriesId: seriesId(labels), timestampMs, startMs }
    if (isStale || histogram === undefined || histogram === null) floats.push({ ...sample, value, isStale })
    else histograms.push({ ...sample, histogram })
  }
  const inserts: NativeInsert[] = []
  if (floats.length > 0) {
    const columns = floatColumns(tenant, floats)
    inserts.push(insertOf('prom_samples', floats.length, columns, `${token} samples`))
  }
  if (histograms.length > 0) {
    const columns = histogramColumns(tenant, histograms)
    inserts.push(insertOf('prom_histograms', histograms.length, columns, `${token} histograms`))
  }
  return inserts
}

function insertOf(
  table: NativeInsert['table'],
  rows: number,
  columns: Parameters<typeof nativeBlock>[1],
  deduplicationToken: string,
): NativeInsert {
  return {
    table,
    columns: columns.map(({ name, type }) => ({ name, type })),
    blocks: [nativeBlock(rows, columns)],
    rows,
    deduplicationToken,
  }
}
