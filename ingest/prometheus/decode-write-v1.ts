import { ByteBuffer } from '../native/byte-buffer.ts'
import type { DecoderParts } from '../otlp/decode-traces.ts'
import type { TimeWindow } from '../otlp/time-window.ts'
import { FIXED64, LENGTH_DELIMITED, VARINT } from '../otlp/wire-reader.ts'
import { LabelList } from './label-list.ts'
import type { MetadataRegistry } from './metadata-registry.ts'
import { type SampleRows, signed } from './sample-rows.ts'
import { NO_SERIES, type SampleSeriesRegistry } from './sample-series-registry.ts'
import type { ToldMetadata } from './told-metadata.ts'
import type { WriteOutcome } from './write-outcome.ts'

/**
 * Decodes one message of remote write: good samples become rows, `outcome` counts them and what was refused. Throws MALFORMED_MESSAGE when the
 * message is not well formed; the rows of before are to be taken back then.
 */
export type DecodeWrite = (
  bytes: Uint8Array,
  tenantId: number,
  window: TimeWindow,
  outcome: WriteOutcome,
) => void

/** What the decoders of remote write work with. */
export interface WriteDecoderParts extends Pick<DecoderParts, 'reader'> {
  readonly series: SampleSeriesRegistry
  readonly rows: SampleRows
  readonly metadata: MetadataRegistry
  readonly toldMetadata: ToldMetadata
}

/** The tag of field 1, length-delimited. */
const LABEL_TAG = 0x0a

/** Makes the decoder of `prometheus.WriteRequest` (remote write 1.0). */
export function createWriteV1Decoder({ reader, series, rows, metadata }: WriteDecoderParts): DecodeWrite {
  const list = new LabelList()
  const scattered = new ByteBuffer(1024)
  let labelsStart = 0
  let labelsEnd = 0
  let samples = 0
  let areLabelsTogether = true

  /** Looks where labels stand and how many samples there are. Every known sender writes the labels first. */
  function scan(end: number): void {
    const { bytes } = reader
    labelsStart = reader.position
    while (reader.position < end && bytes[reader.position] === LABEL_TAG) {
      reader.position++
      reader.position = reader.enter(end)
    }
    labelsEnd = reader.position
    samples = 0
    areLabelsTogether = true
    while (reader.position < end) {
      const field = reader.tag(end)
      if (reader.wireType === LENGTH_DELIMITED) {
        if (field === 2 || field === 4) samples++
        else if (field === 1) areLabelsTogether = false
      }
      reader.skip(end, field)
    }
  }

  /** Reads the Label messages, with their tags, in `[start, end)`; other fields are passed over. */
  function readLabels(start: number, end: number): LabelList {
    const back = reader.position
    list.begin()
    reader.position = start
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field !== 1 || reader.wireType !== LENGTH_DELIMITED) reader.skip(end, field)
      else readLabel(reader.enter(end))
    }
    reader.position = back
    return list
  }

  function readLabel(end: number): void {
    let nameStart = 0
    let nameEnd = 0
    let valueStart = 0
    let valueEnd = 0
    while (reader.position < end) {
      const field = reader.tag(end)
      if (reader.wireType !== LENGTH_DELIMITED || (field !== 1 && field !== 2)) {
        reader.skip(end, field)
        continue
      }
      const to = reader.enter(end)
      if (field === 1) {
        nameStart = reader.position
        nameEnd = to
      } else {
        valueStart = reader.position
        valueEnd = to
      }
      reader.position = to
    }
    list.add(reader.bytes, nameStart, nameEnd, valueStart, valueEnd)
  }

  function resolve(start: number, end: number): number {
    if (areLabelsTogether) {
      return series.resolve(reader.bytes, labelsStart, labelsEnd, () => readLabels(labelsStart, labelsEnd))
    }
    scattered.length = 0
    reader.position = start
    while (reader.position < end) {
      const from = reader.position
      const field = reader.tag(end)
      const isLabel = field === 1 && reader.wireType === LENGTH_DELIMITED
      reader.skip(end, field)
      if (isLabel) scattered.pushBytes(reader.bytes, from, reader.position)
    }
    return series.resolve(scattered.bytes, 0, scattered.length, () => readLabels(start, end))
  }

  function decodeSeries(end: number, outcome: WriteOutcome): void {
    const start = reader.position
    scan(end)
    const number = resolve(start, end)
    if (number === NO_SERIES) {
      const { problem } = series
      if (problem !== null) outcome.refuse(problem.reason, samples, () => problem.detail)
      reader.position = end
      return
    }
    rows.beginSeries(number, 0)
    reader.position = labelsEnd
    while (reader.position < end) {
      const field = reader.tag(end)
      if (reader.wireType !== LENGTH_DELIMITED) {
        reader.skip(end, field)
        continue
      }
      const to = reader.enter(end)
      if (field === 2) rows.sample(to)
      else if (field === 4) rows.histogram(to)
      else if (field === 3) decodeExemplar(to)
      reader.position = to
    }
  }

  function decodeExemplar(end: number): void {
    const labels = readLabels(reader.position, end).labels()
    let low = 0
    let high = 0
    let timeMs = 0
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field === 2 && reader.wireType === FIXED64) {
        reader.fixed64(end)
        low = reader.low
        high = reader.high
      } else if (field === 3 && reader.wireType === VARINT) {
        reader.varint64(end)
        timeMs = signed(reader.low, reader.high)
      } else reader.skip(end, field)
    }
    rows.exemplar(labels, low, high, timeMs)
  }

  function decodeMetadata(end: number, nowMs: number, outcome: WriteOutcome): void {
    let type = 0
    let name = ''
    let help = ''
    let unit = ''
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field === 1 && reader.wireType === VARINT) type = reader.varint32(end)
      else if (reader.wireType === LENGTH_DELIMITED) {
        const to = reader.enter(end)
        const { buffer, byteOffset } = reader.bytes
        const text = () =>
          Buffer.from(buffer, byteOffset + reader.position, to - reader.position).toString('utf8')
        if (field === 2) name = text()
        else if (field === 4) help = text()
        else if (field === 5) unit = text()
        reader.position = to
      } else reader.skip(end, field)
    }
    if (name !== '' && metadata.tell(name, type, unit, help, nowMs)) outcome.metadata++
  }

  return (bytes, tenantId, window, outcome) => {
    reader.begin(bytes)
    rows.begin(tenantId, window, outcome)
    const end = bytes.length
    while (reader.position < end) {
      const field = reader.tag(end)
      if (reader.wireType !== LENGTH_DELIMITED) {
        reader.skip(end, field)
        continue
      }
      const to = reader.enter(end)
      if (field === 1) decodeSeries(to, outcome)
      else if (field === 3) decodeMetadata(to, window.nowMs, outcome)
      reader.position = to
    }
  }
}
