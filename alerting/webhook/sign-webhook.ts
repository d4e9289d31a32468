import { createHmac } from 'node:crypto'

/** The headers that let a receiver check who sent a message and take it once (Standard Webhooks). */
export interface WebhookSignature {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

/**
 * Signs a body as Standard Webhooks says: HMAC-SHA256 over `id.timestamp.body`, base64, version `v1`. `secret` is `whsec_` and
 * base64, or any other text as it is. Throws RangeError when the secret has fewer than 24 bytes.
 */
export function signWebhook(secret: string, id: string, nowMs: number, body: string): WebhookSignature {
  const key = secret.startsWith('whsec_')
    ? Buffer.from(secret.slice(6), 'base64')
    : Buffer.from(secret, 'utf8')
  if (key.length < 24)
    throw new RangeError('Cannot sign the webhook: the signing secret has fewer than 24 bytes')
  const timestamp = String(Math.floor(nowMs / 1000))
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}
