import { connect } from 'node:http2'
import type { Sender } from './http-sender.ts'

const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'

/** Opens a connection for OTLP/gRPC on plain HTTP/2, without the cost of a gRPC client. */
export async function openGrpcSender(address: string): Promise<Sender> {
  const session = connect(`http://${address}`)
  await new Promise<void>((resolve, reject) => {
    session.once('connect', () => resolve())
    session.once('error', reject)
  })
  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        const prefix = Buffer.alloc(5)
        prefix.writeUInt32BE(message.length, 1)
        const stream = session.request({
          ':method': 'POST',
          ':path': PATH,
          'content-type': 'application/grpc',
          te: 'trailers',
        })
        let status = ''
        // A refused call has its status in the head of the response.
        stream.on('response', (headers) => {
          status = String(headers['grpc-status'] ?? status)
        })
        stream.on('trailers', (trailers) => {
          status = String(trailers['grpc-status'] ?? status)
        })
        stream.on('error', reject)
        stream.on('close', () => resolve(status === '0'))
        stream.resume()
        stream.write(prefix)
        stream.end(message)
      }),
    close: () => session.close(),
  }
}
