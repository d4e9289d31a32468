import { type Labels, labelPairs, METRIC_NAME } from '../../model/labels.ts'
import { createProtobufWriter, type ProtobufWriter } from '../../runtime/protobuf-writer.ts'
import { METADATA_TYPES } from '../prometheus/metadata-types.ts'
import { encodeHistogram } from './encode-histogram.ts'
import {
  type ExposedExemplar,
  type ExposedHistogram,
  type ExposedMetadata,
  NO_EXEMPLARS,
} from './exposition.ts'

/** One sample as it is to be written. */
export interface SampleToSend {
  readonly labels: Labels
  readonly timestampMs: number
  /** Null: the series has ended. */
  readonly value: number | null
  /** Counts instead of the value when it is there. */
  readonly histogram: ExposedHistogram | null
  /** When it began to count, epoch milliseconds; 0: not known. */
  readonly startMs: number
  readonly exemplars: readonly ExposedExemplar[]
  readonly metadata: ExposedMetadata | null
}

/** The end of a series. */
export function endOf(labels: Labels, timestampMs: number): SampleToSend {
  return {
    labels,
    timestampMs,
    value: null,
    histogram: null,
    startMs: 0,
    exemplars: NO_EXEMPLARS,
    metadata: null,
  }
}

/** The NaN that ends a series. */
const STALE = 0x7ff0000000000002n

/** A remote write 2.0 request (`io.prometheus.write.v2.Request`) with one series per sample. */
export function encodeSamples(samples: readonly SampleToSend[]): Uint8Array {
  const symbols = new Map<string, number>([['', 0]])
  const reference = (text: string): number => {
    const known = symbols.get(text)
    if (known !== undefined) return known
    symbols.set(text, symbols.size)
    return symbols.size - 1
  }
  const referred = samples.map((sample) => ({
    sample,
    labels: references(labelPairs(sample.labels), reference),
    exemplars: sample.exemplars.map((exemplar) => references(exemplar.labels, reference)),
    help: reference(sample.metadata?.help ?? ''),
    unit: reference(sample.metadata?.unit ?? ''),
  }))
  const writer = createProtobufWriter()
  for (const text of symbols.keys()) writer.string(4, text)
  for (const one of referred) writer.message(5, () => writeSeries(writer, one))
  return writer.finish()
}

const NO_REFERENCES = new Uint8Array(0)

/** A sample with its texts as numbers of symbols. */
interface ReferredSample {
  readonly sample: SampleToSend
  readonly labels: Uint8Array
  readonly exemplars: readonly Uint8Array[]
  readonly help: number
  readonly unit: number
}

function writeSeries(writer: ProtobufWriter, referred: ReferredSample): void {
  const { sample, labels, help, unit } = referred
  const { timestampMs, startMs, value, histogram, metadata } = sample
  writer.bytes(1, labels)
  if (histogram !== null) {
    writer.message(3, () => encodeHistogram(writer, histogram, timestampMs, startMs))
  } else {
    writer.message(2, () => {
      if (value === null) writer.fixed64(1, STALE)
      else writer.double(1, value)
      writer.varint(2, timestampMs)
      if (startMs !== 0) writer.varint(3, startMs)
    })
  }
  sample.exemplars.forEach((exemplar, at) => {
    writer.message(4, () => {
      writer.bytes(1, referred.exemplars[at] ?? NO_REFERENCES)
      writer.double(2, exemplar.value)
      writer.varint(3, exemplar.timestampMs ?? timestampMs)
    })
  })
  if (metadata === null) return
  writer.message(5, () => {
    writer.varint(1, METADATA_TYPES.indexOf(metadata.type))
    writer.varint(3, help)
    writer.varint(4, unit)
  })
}

/** Packed numbers of the symbols, name, value, name, value …. */
function references(
  pairs: Iterable<readonly [string, string]>,
  reference: (text: string) => number,
): Uint8Array {
  const bytes: number[] = []
  for (const pair of pairs) {
    for (const text of pair) {
      let rest = reference(text)
      for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
      bytes.push(rest)
    }
  }
  return Uint8Array.from(bytes)
}

/** The family that a series' metadata stands under: counters of OpenMetrics and parts of histograms are named after it. */
export function familyMetadata(
  labels: Labels,
  metadata: ReadonlyMap<string, ExposedMetadata>,
): ExposedMetadata | null {
  const name = labels[labels.indexOf(METRIC_NAME) + 1] ?? ''
  const exact = metadata.get(name)
  if (exact !== undefined) return exact
  const base = name.replace(/_(total|bucket|sum|count|created|info|gsum|gcount)$/, '')
  return metadata.get(base) ?? null
}
