import { connect, type Socket } from 'node:net'

/** One connection that exports messages. */
export interface Sender {
  /** Whether the server acknowledged the whole message. Throws when the connection breaks. */
  send(message: Buffer): Promise<boolean>
  close(): void
}

/** What a sender sends with every message. */
export interface SentHead {
  readonly path: string
  /** Header lines without their ends. */
  readonly headers: readonly string[]
}

/** Opens a connection for OTLP/HTTP and writes requests on it by hand. */
export function openHttpSender(url: string, form: 'protobuf' | 'json'): Promise<Sender> {
  const type = form === 'json' ? 'application/json' : 'application/x-protobuf'
  return openSender(url, { path: '/v1/traces', headers: [`Content-Type: ${type}`] })
}

/** Opens a connection and writes POST requests on it by hand. */
export async function openSender(url: string, head: SentHead): Promise<Sender> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  const lines = [`POST ${head.path} HTTP/1.1`, `Host: ${hostname}:${port}`, ...head.headers].join('\r\n')
  return {
    send: async (message) => {
      socket.cork()
      socket.write(`${lines}\r\nContent-Length: ${message.length}\r\n\r\n`)
      socket.write(message)
      socket.uncork()
      const status = await readStatus(socket)
      return status === 200 || status === 204
    },
    close: () => socket.destroy(),
  }
}

/** The status of one response; its body is short and read with it. */
function readStatus(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = ''
    const onClose = () => reject(new Error('Cannot read the answer: the server closed the connection'))
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
      if (text.length < end + 4 + length) return
      socket.off('data', onData)
      socket.off('close', onClose)
      resolve(Number(text.slice(9, 12)))
    }
    socket.on('data', onData)
    socket.once('close', onClose)
  })
}
