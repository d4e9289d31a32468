import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { labelsFrom } from '../../model/labels.ts'
import { createSecret } from '../../runtime/secret.ts'
import type { AttemptContext, Notification, NotifiedAlert } from '../notifier.ts'
import type { WebhookSettings } from '../receiver.ts'
import { createWebhookNotifier } from './create-webhook-notifier.ts'
import { webhookPayload } from './webhook-payload.ts'

const START = Date.parse('2026-11-20T08:26:11.118Z')
const NOW = Date.parse('2026-11-20T08:30:00Z')
const LABELS = { alertname: 'MeshHighErrorRate', cluster: 'eu-1', severity: 'page' }

function alert(labels: Record<string, string>, fields: Partial<NotifiedAlert> = {}): NotifiedAlert {
  return {
    status: 'firing',
    labels: labelsFrom(Object.entries(labels)),
    annotations: labelsFrom([['summary', 'web -> checkout <5xx>']]),
    startsAtMs: START,
    endsAtMs: null,
    generatorUrl: 'https://mesh.example/rules/42',
    fingerprint: '429e47dc9b3c53a6',
    value: 0.071,
    rule: null,
    ...fields,
  }
}

function notification(fields: Partial<Notification> = {}): Notification {
  return {
    id: 'n-1',
    tenant: 'default',
    receiver: 'mesh.oncall',
    groupKey: '{}/{severity="page"}:{alertname="MeshHighErrorRate"}',
    groupLabels: labelsFrom([['alertname', 'MeshHighErrorRate']]),
    routeLabels: [],
    status: 'firing',
    reason: 'first notification',
    alerts: [alert({ ...LABELS, service: 'checkout' }), alert({ ...LABELS, service: 'cart' })],
    createdAtMs: NOW,
    isLate: false,
    externalUrl: 'https://mesh.example',
    evidence: null,
    ...fields,
  }
}

function settings(url: string, fields: Partial<WebhookSettings> = {}): WebhookSettings {
  return {
    kind: 'webhook',
    sendResolved: true,
    url: { value: createSecret(url) },
    maxAlerts: 0,
    timeoutMs: 30_000,
    http: {
      basicAuth: null,
      authorization: null,
      headers: [],
      tls: {
        caFile: null,
        ca: null,
        certFile: null,
        keyFile: null,
        serverName: null,
        insecureSkipVerify: false,
      },
    },
    signingSecret: null,
    ...fields,
  }
}

const OPTIONS = { policy: { isPrivateAllowed: true, allow: [], deny: [] }, programVersion: '0.1.0' }
const ATTEMPT: AttemptContext = {
  attempt: 1,
  nowMs: NOW,
  recipients: null,
  signal: new AbortController().signal,
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A real receiver; `answer` decides what it says. */
async function receiver(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const taken: { headers: IncomingMessage['headers']; body: string; url: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece
    })
    request.on('end', () => {
      taken.push({ headers: request.headers, body, url: request.url ?? '' })
      answer(response, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken }
}

describe('the payload', () => {
  test('is version 4 in its order, with our evidence behind it', () => {
    const payload = webhookPayload(notification(), 0)
    expect(Object.keys(payload)).toEqual([
      'receiver',
      'status',
      'alerts',
      'notification_reason',
      'groupLabels',
      'commonLabels',
      'commonAnnotations',
      'routeLabels',
      'externalURL',
      'version',
      'groupKey',
      'truncatedAlerts',
      'mesh',
    ])
    expect(payload).toMatchObject({
      receiver: 'mesh\\.oncall',
      status: 'firing',
      commonLabels: LABELS,
      commonAnnotations: { summary: 'web -> checkout <5xx>' },
      routeLabels: {},
      version: '4',
      truncatedAlerts: 0,
    })
    expect(JSON.stringify((payload['alerts'] as unknown[])[0])).toBe(
      '{"status":"firing","labels":{"alertname":"MeshHighErrorRate","cluster":"eu-1","service":"checkout","severity":"page"},' +
        '"annotations":{"summary":"web -> checkout <5xx>"},"startsAt":"2026-11-20T08:26:11.118Z","endsAt":"0001-01-01T00:00:00Z",' +
        '"generatorURL":"https://mesh.example/rules/42","fingerprint":"429e47dc9b3c53a6"}',
    )
  })

  test('says when a resolved alert ended, to the digit that is not zero', () => {
    const resolved = alert(LABELS, { status: 'resolved', endsAtMs: NOW })
    const payload = webhookPayload(notification({ alerts: [resolved], status: 'resolved' }), 0)
    expect(payload['alerts']).toMatchObject([{ status: 'resolved', endsAt: '2026-11-20T08:30:00Z' }])
  })

  test('is cut at max_alerts, and common labels are those of what is left', () => {
    const payload = webhookPayload(notification(), 1)
    expect(payload).toMatchObject({ truncatedAlerts: 1, commonLabels: { ...LABELS, service: 'checkout' } })
  })
})

describe('a webhook', () => {
  test('is delivered with its headers, signed so that the receiver can check it', async () => {
    const key = Buffer.alloc(32, 7)
    const { url, taken } = await receiver((response) => response.end('thanks'))
    const notifier = createWebhookNotifier(
      settings(`${url}/hook?a=1`, {
        signingSecret: { value: createSecret(`whsec_${key.toString('base64')}`) },
        http: {
          ...settings('').http,
          basicAuth: { username: 'u', password: { value: createSecret('p:w') } },
          headers: [{ name: 'X-A', values: [{ value: createSecret('1') }] }],
        },
      }),
      OPTIONS,
    )
    expect(await notifier.notify(notification(), ATTEMPT)).toEqual({
      outcome: 'delivered',
      receipt: { response: '200 thanks' },
    })
    await notifier.close?.()
    const [message] = taken
    expect(message?.url).toBe('/hook?a=1')
    expect(message?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'meshwatch/0.1.0',
      'idempotency-key': 'n-1',
      authorization: `Basic ${Buffer.from('u:p:w').toString('base64')}`,
      'x-a': '1',
      'webhook-id': 'n-1',
      'webhook-timestamp': String(NOW / 1000),
    })
    const signed = createHmac('sha256', key)
      .update(`n-1.${NOW / 1000}.${message?.body}`)
      .digest('base64')
    expect(message?.headers['webhook-signature']).toBe(`v1,${signed}`)
    expect(JSON.parse(message?.body ?? '')).toMatchObject({ version: '4', mesh: { notificationId: 'n-1' } })
  })

  test.each([
    [204, {}, { outcome: 'delivered' }],
    [400, {}, { outcome: 'permanent', reason: 'the receiver answered 400 no' }],
    [302, { location: 'http://127.0.0.1:1/' }, { outcome: 'permanent' }],
    [429, { 'retry-after': '7' }, { outcome: 'retry', retryAfterMs: 7000 }],
    [
      503,
      { 'retry-after': new Date(NOW + 90_000).toUTCString() },
      { outcome: 'retry', retryAfterMs: 90_000 },
    ],
    [500, { 'retry-after': 'soon' }, { outcome: 'retry', reason: 'the receiver answered 500 no' }],
  ])('answered %i %j', async (status, headers, expected) => {
    const { url } = await receiver((response) =>
      response.writeHead(status, headers).end(status === 204 ? '' : 'no'),
    )
    const notifier = createWebhookNotifier(settings(url), OPTIONS)
    expect(await notifier.notify(notification(), ATTEMPT)).toMatchObject(expected)
    await notifier.close?.()
  })

  test('that is not answered is tried again, and so is one that nobody listens for', async () => {
    const silent = await receiver(() => undefined)
    const slow = createWebhookNotifier(settings(silent.url, { timeoutMs: 50 }), OPTIONS)
    expect(await slow.notify(notification(), ATTEMPT)).toEqual({
      outcome: 'retry',
      reason: 'the receiver did not answer in time',
    })
    await slow.close?.()
    const nobody = createWebhookNotifier(settings('http://127.0.0.1:1/'), OPTIONS)
    expect(await nobody.notify(notification(), ATTEMPT)).toMatchObject({
      outcome: 'retry',
      reason: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('reads no more of an endless answer than its start', async () => {
    const { url } = await receiver((response) => {
      response.writeHead(500)
      const write = (): void => {
        while (response.write('x'.repeat(65_536)));
      }
      response.on('drain', write)
      write()
    })
    const notifier = createWebhookNotifier(settings(url), OPTIONS)
    const outcome = await notifier.notify(notification(), ATTEMPT)
    expect(outcome).toMatchObject({ outcome: 'retry' })
    expect(JSON.stringify(outcome).length).toBeLessThan(800)
    await notifier.close?.()
  })

  test.each([
    ['no url', 'it is no URL'],
    ['file:///etc/passwd', 'file is neither http nor https'],
    ['http://{{ .Nope }}/', "can't evaluate field Nope"],
  ])('with the URL %j fails for good and does not repeat it', async (url, reason) => {
    const notifier = createWebhookNotifier(settings(url), OPTIONS)
    const outcome = await notifier.notify(notification(), ATTEMPT)
    expect(outcome).toMatchObject({ outcome: 'permanent', reason: expect.stringContaining(reason) })
  })

  test('makes its URL from a template', async () => {
    const { url, taken } = await receiver((response) => response.end())
    const notifier = createWebhookNotifier(settings(`${url}/{{ .CommonLabels.severity }}`), OPTIONS)
    await notifier.notify(notification(), ATTEMPT)
    await notifier.close?.()
    expect(taken[0]?.url).toBe('/page')
  })

  test('does not go where the policy forbids', async () => {
    const { url, taken } = await receiver((response) => response.end())
    const notifier = createWebhookNotifier(settings(url), {
      ...OPTIONS,
      policy: { isPrivateAllowed: false, allow: [], deny: [] },
    })
    expect(await notifier.notify(notification(), ATTEMPT)).toEqual({
      outcome: 'permanent',
      reason: 'Cannot connect: 127.0.0.1 is a private address',
    })
    expect(taken).toEqual([])
  })
})
