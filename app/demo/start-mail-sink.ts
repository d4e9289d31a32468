import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import PostalMime from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import type { Clock } from '../../runtime/clock.ts'
import { errorMessage } from '../../runtime/errors.ts'
import { listenError } from '../../runtime/listen-error.ts'
import type { LocalServer } from './listen-locally.ts'
import type { MessageBox } from './message-box.ts'

const HOST = '127.0.0.1'

/** Starts a mail server that takes every mail, for anybody, without TLS, and puts it into the box. */
export async function startMailSink(options: {
  readonly port: number
  readonly box: MessageBox
  readonly clock: Clock
}): Promise<LocalServer> {
  const { box, clock, port } = options
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 500,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address).join(', ')
        receive(Buffer.concat(chunks), to, box, clock).then(
          () => done(),
          (error: unknown) => done(new Error(`cannot read the mail: ${errorMessage(error)}`)),
        )
      })
    },
  })
  // A client that goes away in the middle of a sentence is no reason to end.
  server.on('error', () => {})
  try {
    const listening = once(server.server, 'listening')
    server.listen(port, HOST)
    await listening
  } catch (error) {
    throw listenError('demo.smtp', HOST, port, error)
  }
  return {
    address: `${HOST}:${(server.server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

async function receive(raw: Buffer, to: string, box: MessageBox, clock: Clock): Promise<void> {
  const mail = await PostalMime.parse(raw)
  const title = mail.subject ?? '(no subject)'
  const text = mail.text ?? ''
  const status = mail.headers.find(({ key }) => key === 'x-meshwatch-alert-status')?.value
  box.add({
    channel: 'mail',
    receivedAtMs: clock.now(),
    status: status === 'resolved' ? 'resolved' : 'firing',
    alerts: [...new Set(`${title}\n${text}`.match(/\bDemo[A-Z]\w+/g) ?? [])],
    title,
    to,
    text,
    html: mail.html ?? null,
    note: '',
  })
}
