import nodemailer from 'nodemailer'
import { errorMessage } from '../../runtime/errors.ts'
import { oneLine } from '../message/one-line.ts'
import type { MessageRenderer } from '../message/render-message.ts'
import type { AttemptContext, DeliveryOutcome, DeliveryReceipt, Notification, Notifier } from '../notifier.ts'
import type { EmailSettings } from '../receiver.ts'
import { revealSecret } from '../secret-source.ts'
import { tlsClientOptions } from '../tls-client-options.ts'
import { isRetryableSmtp, type SmtpFailure } from './classify-smtp-error.ts'
import { composeMail } from './compose-mail.ts'
import { type Address, parseRecipients } from './recipients.ts'

const CONNECT_TIMEOUT_MS = 10_000
const SOCKET_TIMEOUT_MS = 30_000
const IMPLICIT_TLS_PORT = 465

type Recipients = NonNullable<DeliveryReceipt['recipients']>

/** What nodemailer tells of a mail that at least one recipient was accepted for. */
interface SentInfo {
  readonly response?: string
  readonly accepted?: readonly (string | { readonly address: string })[]
  readonly rejectedErrors?: readonly (SmtpFailure & {
    readonly recipient?: string
    readonly response?: string
  })[]
}

/** Makes the notifier of one `email_configs` entry. */
export function createEmailNotifier(settings: EmailSettings, renderer: MessageRenderer): Notifier {
  async function send(notification: Notification, attempt: AttemptContext): Promise<DeliveryOutcome> {
    const wanted = addressesOf(settings.to, attempt.recipients)
    const [from] = parseRecipients(settings.from)
    if (from === undefined) throw new RangeError('Cannot send the mail: it has no sender')
    const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
    const mail = composeMail(notification, settings, renderer, domain, attempt.nowMs)
    const transport = nodemailer.createTransport(await transportOptions(settings))
    const stop = (): void => transport.close()
    attempt.signal.addEventListener('abort', stop, { once: true })
    try {
      const info = (await raceAbort(
        transport.sendMail({
          from: { ...from },
          to: wanted.map((address) => ({ ...address })),
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          messageId: mail.messageId,
          headers: { ...mail.headers },
          date: new Date(attempt.nowMs),
          disableFileAccess: true,
          disableUrlAccess: true,
        }),
        attempt.signal,
      )) as SentInfo
      return outcomeOf(info, wanted)
    } finally {
      attempt.signal.removeEventListener('abort', stop)
      transport.close()
    }
  }

  return {
    integration: 'email',
    notify: async (notification, attempt) => {
      try {
        return await send(notification, attempt)
      } catch (error) {
        return failureOf(error)
      }
    },
  }
}

/** The configured addresses, or those of them that are still to be told. */
function addressesOf(to: string, remaining: readonly string[] | null): readonly Address[] {
  const all = parseRecipients(to)
  if (remaining === null) return all
  const left = all.filter(({ address }) => remaining.includes(address))
  // The configuration changed meanwhile: everybody it names now is told.
  return left.length === 0 ? all : left
}

function outcomeOf(info: SentInfo, wanted: readonly Address[]): DeliveryOutcome {
  const response = cut(info.response ?? '250')
  const rejected = new Map((info.rejectedErrors ?? []).map((error) => [error.recipient ?? '', error]))
  const recipients: Recipients = wanted.map(({ address }) => {
    const error = rejected.get(address)
    if (error === undefined) return { recipient: address, fate: 'accepted', response }
    const fate = isRetryableSmtp(error) ? 'retry' : 'rejected'
    return { recipient: address, fate, response: cut(error.response ?? '') }
  })
  const receipt = { response, recipients }
  const failed = recipients.filter(({ fate }) => fate !== 'accepted')
  if (failed.length === 0) return { outcome: 'delivered', receipt }
  return {
    outcome: 'partially',
    receipt,
    retry: failed.filter(({ fate }) => fate === 'retry').map(({ recipient }) => recipient),
    reason: failed.map(({ recipient, response: said }) => `${recipient}: ${said}`).join('; '),
  }
}

function failureOf(error: unknown): DeliveryOutcome {
  if (error instanceof RangeError) return { outcome: 'permanent', reason: error.message }
  const failure = error as SmtpFailure & {
    readonly response?: string
    readonly rejectedErrors?: SentInfo['rejectedErrors']
  }
  const reason = cut(failure.response ?? errorMessage(error))
  const recipients: Recipients = (failure.rejectedErrors ?? []).map((rejected) => ({
    recipient: rejected.recipient ?? '',
    fate: isRetryableSmtp(rejected) ? ('retry' as const) : ('rejected' as const),
    response: cut(rejected.response ?? ''),
  }))
  const receipt = recipients.length === 0 ? {} : { receipt: { response: reason, recipients } }
  const canRetry =
    recipients.length > 0 ? recipients.some(({ fate }) => fate === 'retry') : isRetryableSmtp(failure)
  return { outcome: canRetry ? 'retry' : 'permanent', reason, ...receipt }
}

async function transportOptions(settings: EmailSettings) {
  const { smarthost, authUsername } = settings
  const isImplicit = settings.forceImplicitTls ?? smarthost.port === IMPLICIT_TLS_PORT
  const password = settings.authPassword ?? settings.authSecret
  return {
    host: smarthost.host,
    port: smarthost.port,
    name: settings.hello,
    secure: isImplicit,
    requireTLS: settings.requireTls && !isImplicit,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    tls: tlsClientOptions(settings.tls),
    ...(authUsername === null || password === null
      ? {}
      : { auth: { user: authUsername, pass: await revealSecret(password) } }),
  }
}

/** Nodemailer cannot be stopped in the middle of a dialogue: its connection is closed and its promise left behind. */
async function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(new Error('the mail server did not answer in time'))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  work.catch(() => undefined)
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function cut(text: string): string {
  return oneLine(text).slice(0, 300)
}
