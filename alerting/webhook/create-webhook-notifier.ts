import { type Dispatcher, request } from 'undici'
import { parseTemplate } from '../../model/template/parse-template.ts'
import { renderTemplate } from '../../model/template/render-template.ts'
import { standardFunctions } from '../../model/template/standard-functions.ts'
import { errorMessage } from '../../runtime/errors.ts'
import { oneLine } from '../message/one-line.ts'
import { templateData } from '../message/template-data.ts'
import type { AttemptContext, DeliveryOutcome, Notification, Notifier } from '../notifier.ts'
import type { HttpSettings, WebhookSettings } from '../receiver.ts'
import { revealSecret } from '../secret-source.ts'
import { tlsClientOptions } from '../tls-client-options.ts'
import { classifyResponse } from './classify-response.ts'
import type { DestinationPolicy } from './destination-policy.ts'
import { createGuardedAgent, DestinationRefusedError } from './guarded-agent.ts'
import { signWebhook } from './sign-webhook.ts'
import { webhookPayload } from './webhook-payload.ts'

/** What every webhook of this program has in common. */
export interface WebhookOptions {
  readonly policy: DestinationPolicy
  /** For `User-Agent`. */
  readonly programVersion: string
}

const CONNECT_TIMEOUT_MS = 10_000
const DEFAULT_TIMEOUT_MS = 30_000
/** An endless answer must not fill memory; nobody reads more of it. */
const MAX_RESPONSE_BYTES = 4096

/** Makes the notifier of one `webhook_configs` entry. */
export function createWebhookNotifier(settings: WebhookSettings, options: WebhookOptions): Notifier {
  let agent: Dispatcher | null = null

  /** Files of certificates are read when the first message is sent, and again after a failure. */
  function dispatcher(): Dispatcher {
    agent ??= createGuardedAgent({
      policy: options.policy,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      tls: tlsClientOptions(settings.http.tls),
    })
    return agent
  }

  async function send(notification: Notification, attempt: AttemptContext): Promise<DeliveryOutcome> {
    const url = await destination(settings, notification, attempt.nowMs)
    const body = JSON.stringify(webhookPayload(notification, settings.maxAlerts))
    const headers = {
      'content-type': 'application/json',
      'user-agent': `meshwatch/${options.programVersion}`,
      'idempotency-key': notification.id,
      ...(await configuredHeaders(settings.http)),
      ...(settings.signingSecret === null
        ? {}
        : signWebhook(await revealSecret(settings.signingSecret), notification.id, attempt.nowMs, body)),
    }
    const timeoutMs = settings.timeoutMs > 0 ? settings.timeoutMs : DEFAULT_TIMEOUT_MS
    const signal = AbortSignal.any([attempt.signal, AbortSignal.timeout(timeoutMs)])
    const response = await request(url, { method: 'POST', headers, body, dispatcher: dispatcher(), signal })
    const text = await readStart(response.body)
    const retryAfter = response.headers['retry-after']
    return classifyResponse(
      response.statusCode,
      typeof retryAfter === 'string' ? retryAfter : undefined,
      text,
      attempt.nowMs,
    )
  }

  return {
    integration: 'webhook',
    notify: async (notification, attempt) => {
      try {
        return await send(notification, attempt)
      } catch (error) {
        if (error instanceof DestinationRefusedError) return { outcome: 'permanent', reason: error.message }
        if (error instanceof SettingsError) return { outcome: 'permanent', reason: error.message }
        await agent?.close().catch(() => undefined)
        agent = null
        return { outcome: 'retry', reason: reasonOf(error) }
      }
    },
    close: async () => {
      await agent?.destroy()
    },
  }
}

/** Settings that cannot work: trying again does not help. */
class SettingsError extends Error {}

async function destination(
  settings: WebhookSettings,
  notification: Notification,
  nowMs: number,
): Promise<URL> {
  const text = (await revealSecret(settings.url)).trim()
  let rendered = text
  if (text.includes('{{')) {
    const functions = standardFunctions({ nowMs, externalUrl: notification.externalUrl })
    try {
      const template = parseTemplate(text, { name: 'url', functions: new Set(functions.keys()) })
      rendered = renderTemplate(template, { data: templateData(notification), functions, mode: 'text' })
    } catch (error) {
      throw new SettingsError(`Cannot make the webhook's URL: ${errorMessage(error)}`)
    }
  }
  // The URL is a secret: neither it nor a part of it is repeated.
  if (!URL.canParse(rendered)) throw new SettingsError('Cannot use the webhook URL: it is no URL')
  const url = new URL(rendered)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new SettingsError(
      `Cannot use the webhook URL: ${url.protocol.slice(0, -1)} is neither http nor https`,
    )
  }
  return url
}

async function configuredHeaders(http: HttpSettings): Promise<Record<string, string | string[]>> {
  const headers: Record<string, string | string[]> = {}
  if (http.basicAuth !== null) {
    const password = http.basicAuth.password === null ? '' : await revealSecret(http.basicAuth.password)
    const pair = Buffer.from(`${http.basicAuth.username}:${password}`, 'utf8').toString('base64')
    headers['authorization'] = `Basic ${pair}`
  }
  if (http.authorization?.credentials) {
    headers['authorization'] =
      `${http.authorization.type} ${await revealSecret(http.authorization.credentials)}`
  }
  for (const { name, values } of http.headers)
    headers[name.toLowerCase()] = await Promise.all(values.map(revealSecret))
  return headers
}

/** The start of an answer as one line of text; the rest is not read. */
async function readStart(body: AsyncIterable<Buffer> & { destroy(): void }): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  try {
    for await (const piece of body) {
      pieces.push(piece)
      size += piece.length
      if (size >= MAX_RESPONSE_BYTES) break
    }
  } finally {
    body.destroy()
  }
  const text = Buffer.concat(pieces).subarray(0, MAX_RESPONSE_BYTES).toString('utf8')
  return oneLine(text)
}

function reasonOf(error: unknown): string {
  const name = error instanceof Error ? error.name : ''
  if (name === 'TimeoutError' || name === 'HeadersTimeoutError' || name === 'BodyTimeoutError')
    return 'the receiver did not answer in time'
  if (name === 'AbortError') return 'the attempt was stopped'
  return errorMessage(error)
}
