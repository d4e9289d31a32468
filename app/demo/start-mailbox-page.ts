import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { z } from 'zod'
import type { Clock } from '../../runtime/clock.ts'
import { type LocalServer, listenLocally } from './listen-locally.ts'
import type { MessageBox } from './message-box.ts'

/** What the page is made from. */
export interface MailboxPageOptions {
  readonly port: number
  readonly box: MessageBox
  readonly clock: Clock
  /** With it webhooks are signed: `whsec_` and base64. */
  readonly signingSecret: string
}

const PAGE = join(import.meta.dirname, 'mailbox-page.html')
/** A mail comes from outside: no script, nothing loaded, links open elsewhere. */
const MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups"
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-src 'self'"

/**
 * Starts the page that shows the messages: `/` for people, `/messages` as JSON, `/messages/ID/html` the body of a mail, and
 * `POST /webhook`, which takes Alertmanager's webhooks and answers 200.
 */
export function startMailboxPage(options: MailboxPageOptions): Promise<LocalServer> {
  const { box } = options
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://mailbox')
    if (request.method === 'POST' && pathname === '/webhook') {
      receiveWebhook(request, options).then(
        ([status, body]) => answer(response, status, 'text/plain; charset=utf-8', `${body}\n`),
        () => response.destroy(),
      )
      return
    }
    if (request.method !== 'GET') answer(response, 405, 'text/plain', 'GET only\n')
    else if (pathname === '/')
      answer(response, 200, 'text/html; charset=utf-8', readFileSync(PAGE), PAGE_POLICY)
    else if (pathname === '/messages')
      answer(
        response,
        200,
        'application/json',
        JSON.stringify(box.list().map(({ html, ...rest }) => ({ ...rest, hasHtml: html !== null }))),
      )
    else {
      const id = /^\/messages\/(\d+)\/html$/.exec(pathname)?.[1]
      const html = box.list().find((message) => String(message.id) === id)?.html ?? null
      if (html === null) answer(response, 404, 'text/plain', 'no such message\n')
      else answer(response, 200, 'text/html; charset=utf-8', `<base target="_blank">${html}`, MAIL_POLICY)
    }
  })
  return listenLocally(server, 'demo.mailbox', options.port)
}

function answer(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
  policy = "default-src 'none'",
): void {
  response.writeHead(status, {
    'content-type': type,
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  })
  response.end(body)
}

const webhookSchema = z.object({
  status: z.enum(['firing', 'resolved']),
  receiver: z.string(),
  alerts: z.array(z.object({ status: z.string(), labels: z.record(z.string(), z.string()) })),
})

async function receiveWebhook(
  request: IncomingMessage,
  { box, clock, signingSecret }: MailboxPageOptions,
): Promise<readonly [number, string]> {
  const body = await readText(request)
  const parsed = webhookSchema.safeParse(json(body))
  if (!parsed.success)
    return [400, `not a webhook of Alertmanager's form: ${parsed.error.issues[0]?.message}`]
  const { status, receiver, alerts } = parsed.data
  const names = [...new Set(alerts.map(({ labels }) => labels['alertname'] ?? ''))]
  box.add({
    channel: 'webhook',
    receivedAtMs: clock.now(),
    status,
    alerts: names,
    title: `${status}: ${names.join(', ')}`,
    to: receiver,
    text: JSON.stringify(json(body), null, 2),
    html: null,
    note: isSigned(request, body, signingSecret) ? 'signature: valid' : 'signature: NOT VALID',
  })
  return [200, 'received']
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Checks the signature as Standard Webhooks says. */
function isSigned({ headers }: IncomingMessage, body: string, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const expected = createHmac('sha256', key).update(signed).digest()
  return String(headers['webhook-signature'] ?? '')
    .split(' ')
    .filter((part) => part.startsWith('v1,'))
    .map((part) => Buffer.from(part.slice(3), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected))
}
