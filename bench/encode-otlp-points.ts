import { createProtobufWriter, type ProtobufWriter } from '../runtime/protobuf-writer.ts'

/** Which points. */
export interface PointsMessage {
  readonly firstInstance: number
  /** Each a resource. */
  readonly instances: number
  /** Of each instance. */
  readonly series: number
  readonly timeMs: number
}

/** An `ExportMetricsServiceRequest` with one point of a counter per series: `requests{code}` of resources with service name and instance. */
export function encodeOtlpPoints({ firstInstance, instances, series, timeMs }: PointsMessage): Uint8Array {
  const writer = createProtobufWriter()
  const time = BigInt(timeMs) * 1_000_000n
  for (let instance = firstInstance; instance < firstInstance + instances; instance++) {
    writer.message(1, () => {
      writer.message(1, () => {
        writeAttribute(writer, 1, 'service.name', `job-${instance % 20}`)
        writeAttribute(writer, 1, 'service.instance.id', `10.${instance >> 8}.${instance & 255}.7:9090`)
      })
      writer.message(2, () => writer.message(2, () => writeCounter(writer, series, time)))
    })
  }
  return writer.finish()
}

function writeCounter(writer: ProtobufWriter, series: number, time: bigint): void {
  writer.string(1, 'requests')
  writer.message(7, () => {
    for (let index = 0; index < series; index++) {
      writer.message(1, () => {
        writer.fixed64(3, time)
        writer.double(4, Math.floor(Math.random() * 1e6))
        writeAttribute(writer, 7, 'code', String(200 + index))
      })
    }
    writer.varint(2, 2)
    writer.varint(3, 1)
  })
}

function writeAttribute(writer: ProtobufWriter, field: number, key: string, value: string): void {
  writer.message(field, () => {
    writer.string(1, key)
    writer.message(2, () => writer.string(1, value))
  })
}
