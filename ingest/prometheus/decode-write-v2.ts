import { AppError } from '../../runtime/errors.ts'
import { ByteBuffer } from '../native/byte-buffer.ts'
import { FIXED64, LENGTH_DELIMITED, VARINT } from '../otlp/wire-reader.ts'
import type { DecodeWrite, WriteDecoderParts } from './decode-write-v1.ts'
import { familyName } from './family-name.ts'
import { LabelList } from './label-list.ts'
import { signed } from './sample-rows.ts'
import { NO_SERIES } from './sample-series-registry.ts'
import { SymbolTable } from './symbol-table.ts'
import type { WriteOutcome } from './write-outcome.ts'

/** Keys of series begin with it: those of 1.0 begin with a tag, which is never 0. */
const KEY_PREFIX = 0
/** Twice what the labels of a series may be, and more: whoever sends this many does not send labels. */
const MAX_REFS = 1 << 16
const MAX_TEXT_BYTES = 64 << 20

/** Makes the decoder of `io.prometheus.write.v2.Request` (remote write 2.0). `seed` makes collisions unpredictable to senders. */
export function createWriteV2Decoder(parts: WriteDecoderParts, seed: number): DecodeWrite {
  const { reader, series, rows, metadata, toldMetadata } = parts
  const symbols = new SymbolTable(seed)
  const list = new LabelList()
  const key = new ByteBuffer(1024)
  /** References of the present series, or of the present exemplar. */
  const refs: number[] = []
  /** Facts of a series that stand behind its samples. */
  let samples = 0
  let startMs = 0
  let metadataStart = 0
  let metadataEnd = 0
  /** Bytes of symbols that became text in the present message. */
  let textBytes = 0

  /** Symbols are sent once and may be referred to without end: what they become is bounded here. */
  function spend(bytes: number): void {
    textBytes += bytes
    if (textBytes <= MAX_TEXT_BYTES) return
    throw new AppError(
      'MESSAGE_TOO_LARGE',
      `Cannot take the message: its labels are larger than ${MAX_TEXT_BYTES} bytes when written out`,
    )
  }

  function readSymbols(end: number): void {
    symbols.begin(reader.bytes)
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field !== 4 || reader.wireType !== LENGTH_DELIMITED) {
        reader.skip(end, field)
        continue
      }
      const to = reader.enter(end)
      symbols.add(reader.position, to)
      reader.position = to
    }
  }

  /** Takes the value of the last tag: one reference, or a packed run of them. */
  function takeRefs(end: number, field: number): void {
    if (reader.wireType === VARINT) refs.push(reader.varint32(end))
    else if (reader.wireType === LENGTH_DELIMITED) {
      for (const to = reader.enter(end); reader.position < to; ) refs.push(reader.varint32(to))
    } else reader.skip(end, field)
    if (refs.length > MAX_REFS) throw malformed(`it has more than ${MAX_REFS} references in one place`)
  }

  function requirePairs(): void {
    if (refs.length % 2 === 0) return
    throw malformed('a label has no value')
  }

  function readLabels(): LabelList {
    list.begin()
    const { starts, ends } = symbols
    for (let index = 0; index < refs.length; index += 2) {
      const name = refs[index] as number
      const value = refs[index + 1] as number
      spend(symbols.size(name) + symbols.size(value))
      list.add(
        reader.bytes,
        starts[name] as number,
        ends[name] as number,
        starts[value] as number,
        ends[value] as number,
      )
    }
    return list
  }

  /** Takes what belongs to the whole series. */
  function scan(end: number): void {
    refs.length = 0
    samples = startMs = metadataStart = metadataEnd = 0
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field === 1) takeRefs(end, field)
      else if (field === 6 && reader.wireType === VARINT) {
        reader.varint64(end)
        startMs = signed(reader.low, reader.high)
      } else if (reader.wireType === LENGTH_DELIMITED) {
        const to = reader.enter(end)
        if (field === 2 || field === 3) samples++
        else if (field === 5) {
          metadataStart = reader.position
          metadataEnd = to
        }
        reader.position = to
      } else reader.skip(end, field)
    }
    requirePairs()
  }

  /** A text's number may exceed two bytes: four are taken for each. The generation keeps apart what numbers meant before. */
  function resolve(): number {
    key.length = 0
    key.reserve(5 + refs.length * 4)
    const { bytes } = key
    let at = 0
    bytes[at++] = KEY_PREFIX
    at = pushNumber(bytes, at, symbols.generation)
    for (const ref of refs) at = pushNumber(bytes, at, symbols.number(ref))
    return series.resolve(bytes, 0, at, readLabels)
  }

  function decodeSeries(end: number, nowMs: number, outcome: WriteOutcome): void {
    const start = reader.position
    scan(end)
    const number = resolve()
    if (number === NO_SERIES) {
      const { problem } = series
      if (problem !== null) outcome.refuse(problem.reason, samples, () => problem.detail)
      return
    }
    if (metadataEnd > metadataStart) decodeMetadata(number, nowMs, outcome)
    rows.beginSeries(number, startMs)
    reader.position = start
    while (reader.position < end) {
      const field = reader.tag(end)
      if (reader.wireType !== LENGTH_DELIMITED) {
        reader.skip(end, field)
        continue
      }
      const to = reader.enter(end)
      if (field === 2) rows.sample(to)
      else if (field === 3) rows.histogram(to)
      else if (field === 4) decodeExemplar(to)
      reader.position = to
    }
  }

  function decodeExemplar(end: number): void {
    refs.length = 0
    let low = 0
    let high = 0
    let timeMs = 0
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field === 1) takeRefs(end, field)
      else if (field === 2 && reader.wireType === FIXED64) {
        reader.fixed64(end)
        low = reader.low
        high = reader.high
      } else if (field === 3 && reader.wireType === VARINT) {
        reader.varint64(end)
        timeMs = signed(reader.low, reader.high)
      } else reader.skip(end, field)
    }
    requirePairs()
    rows.exemplar(readLabels().labels(), low, high, timeMs)
  }

  function decodeMetadata(number: number, nowMs: number, outcome: WriteOutcome): void {
    let type = 0
    let help = 0
    let unit = 0
    reader.position = metadataStart
    while (reader.position < metadataEnd) {
      const field = reader.tag(metadataEnd)
      if (reader.wireType !== VARINT) reader.skip(metadataEnd, field)
      else {
        const value = reader.varint32(metadataEnd)
        if (field === 1) type = value
        else if (field === 3) help = value
        else if (field === 4) unit = value
      }
    }
    // A sender that knows nothing of a metric says so with every sample.
    if (type === 0 && help === 0 && unit === 0) return
    if (!toldMetadata.isNew(number, type, symbols.number(help), symbols.number(unit))) return
    spend(symbols.size(help) + symbols.size(unit))
    const name = familyName(series.metricName(number), type)
    if (metadata.tell(name, type, symbols.text(unit), symbols.text(help), nowMs)) outcome.metadata++
  }

  return (bytes, tenantId, window, outcome) => {
    reader.begin(bytes)
    readSymbols(bytes.length)
    toldMetadata.useGenerations(series.generation, symbols.generation)
    textBytes = 0
    rows.begin(tenantId, window, outcome)
    const end = bytes.length
    reader.position = 0
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field !== 5 || reader.wireType !== LENGTH_DELIMITED) {
        reader.skip(end, field)
        continue
      }
      const to = reader.enter(end)
      decodeSeries(to, window.nowMs, outcome)
      reader.position = to
    }
  }
}

function malformed(state: string): AppError {
  return new AppError('MALFORMED_MESSAGE', `Cannot decode the protobuf message: ${state}`)
}

function pushNumber(bytes: Uint8Array, at: number, number: number): number {
  bytes[at++] = number
  bytes[at++] = number >>> 8
  bytes[at++] = number >>> 16
  bytes[at++] = number >>> 24
  return at
}
