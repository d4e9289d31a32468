import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LocalServer, listenLocally } from '../app/demo/listen-locally.ts'
import { createMessageBox } from '../app/demo/message-box.ts'
import { startMailSink } from '../app/demo/start-mail-sink.ts'
import { systemClock } from '../runtime/clock.ts'
import { startMeshwatch } from './support/start-meshwatch.ts'
import { waitUntil } from './support/wait-until.ts'

/** A webhook of Alertmanager's form, as far as these tests look at it. */
interface Webhook {
  readonly id: string
  readonly status: string
  readonly alerts: readonly { readonly status: string; readonly startsAt: string; readonly endsAt: string }[]
}

/** A receiver of webhooks that answers, or takes the request and says nothing. */
interface Receiver {
  readonly server: Server
  readonly taken: readonly Webhook[]
  answers: boolean
}

function createReceiver(): Receiver {
  const taken: Webhook[] = []
  const receiver = {
    taken,
    answers: true,
    server: createServer((request, response) => void take(request, response)),
  }
  async function take(
    request: Parameters<typeof readText>[0] & { readonly headers: IncomingHttpHeaders },
    response: ServerResponse,
  ): Promise<void> {
    const body = JSON.parse(await readText(request)) as Omit<Webhook, 'id'>
    taken.push({ ...body, id: String(request.headers['webhook-id']) })
    if (receiver.answers) response.end('thank you')
  }
  return receiver
}

describe('a message that could not be delivered when its alert fired', () => {
  let folder: string
  const closers: (() => Promise<unknown>)[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'meshwatch-alert-'))
  })

  afterEach(async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The environment of a server with one alert, which fires until `endMs` and is told to these receivers. */
  function settings(receivers: string, endMs: number): Record<string, string> {
    const rules = join(folder, 'rules.yaml')
    const alertmanager = join(folder, 'alertmanager.yaml')
    writeFileSync(
      rules,
      `groups:
- name: test
  interval: 1s
  rules:
  - alert: OnFire
    expr: vector(time()) < ${endMs / 1000}
    annotations: { summary: it burns }
`,
    )
    writeFileSync(
      alertmanager,
      `route: { receiver: on-call, group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers:
- name: on-call
${receivers}
`,
    )
    return {
      MESHWATCH_RULES__FILES: JSON.stringify([rules]),
      MESHWATCH_RULES__PACKS: '[]',
      MESHWATCH_ALERTING__CONFIG_FILE: alertmanager,
    }
  }

  async function serve(environment: Record<string, string>) {
    const server = await startMeshwatch({ dataDir: join(folder, 'data'), environment })
    closers.push(async () => {
      server.child.kill('SIGKILL')
      await server.exit
    })
    return server
  }

  async function listen(server: Server, port = 0): Promise<LocalServer> {
    const listening = await listenLocally(server, 'receiver', port)
    closers.push(() => listening.close())
    return listening
  }

  test('after kill -9 between firing and delivered it is delivered by the next process, once', async () => {
    const receiver = createReceiver()
    receiver.answers = false
    const { address } = await listen(receiver.server)
    const hooks = `  webhook_configs: [{ url: 'http://${address}/', signing_secret: whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz }]`
    const environment = settings(hooks, systemClock.now() + 3_600_000)

    const first = await serve(environment)
    await waitUntil('the message is on its way', () => receiver.taken.length === 1)
    first.child.kill('SIGKILL')
    expect(await first.exit).toBe('SIGKILL')

    receiver.answers = true
    const second = await serve(environment)
    const notifications = async () =>
      (
        (await (await fetch(`${second.url}/api/notifications`)).json()) as {
          notifications: { state: string; integration: string; receiver: string }[]
        }
      ).notifications
    await waitUntil('it is delivered', async () => (await notifications())[0]?.state === 'delivered')
    expect(await notifications()).toMatchObject([
      { state: 'delivered', integration: 'webhook', receiver: 'on-call' },
    ])
    // The alert is told again and again by its rule: many evaluations later it is still one message.
    await waitUntil('the rule was evaluated again', async () => (await evaluations(second.url)) >= 4)
    expect(receiver.taken).toHaveLength(2)
    const [unanswered, answered] = receiver.taken
    expect(answered).toMatchObject({ status: 'firing', id: unanswered?.id })
    expect(answered?.alerts[0]?.startsAt).toBe(unanswered?.alerts[0]?.startsAt)
  })

  test('while its receivers were down for the whole incident, it comes late, once, with both times', async () => {
    const receiver = createReceiver()
    const box = createMessageBox()
    // Ports that refuse: they were open, and are closed for now.
    const hookPort = await closedPort(() => listenLocally(createServer(), 'webhook', 0))
    const mailPort = await closedPort(() => startMailSink({ port: 0, box, clock: systemClock }))
    const endMs = Math.ceil(systemClock.now() / 1000) * 1000 + 15_000
    const environment = settings(
      `  webhook_configs: [{ url: 'http://127.0.0.1:${hookPort}/' }]
  email_configs: [{ to: a@b.example, from: m@b.example, smarthost: '127.0.0.1:${mailPort}', require_tls: false, send_resolved: true }]`,
      endMs,
    )
    const server = await serve(environment)
    const firing = async () =>
      (
        (await (await fetch(`${server.url}/prometheus/api/v1/alerts`)).json()) as {
          data: { alerts: unknown[] }
        }
      ).data.alerts.length
    await waitUntil('it fires', async () => (await firing()) === 1)
    const startedBeforeMs = systemClock.now()
    await waitUntil('it is over', async () => (await firing()) === 0)
    const overBeforeMs = systemClock.now()

    await listen(receiver.server, hookPort)
    const mail = await startMailSink({ port: mailPort, box, clock: systemClock })
    closers.push(() => mail.close())
    await waitUntil('both are told', () => receiver.taken.length > 0 && box.list().length > 0)

    const [alert] = receiver.taken[0]?.alerts ?? []
    expect(receiver.taken[0]).toMatchObject({ status: 'resolved', alerts: [{ status: 'resolved' }] })
    expect(Date.parse(alert?.startsAt ?? '')).toBeLessThanOrEqual(startedBeforeMs)
    expect(Date.parse(alert?.endsAt ?? '')).toBeGreaterThanOrEqual(endMs)
    expect(Date.parse(alert?.endsAt ?? '')).toBeLessThanOrEqual(overBeforeMs)
    expect(box.list()[0]).toMatchObject({
      status: 'resolved',
      title: expect.stringMatching(/^\[LATE\] \[RESOLVED\] OnFire/),
      text: expect.stringMatching(/since +\d{4}-.*\n +over +\d{4}-/),
    })
    const seen = await evaluations(server.url)
    await waitUntil('time goes on', async () => (await evaluations(server.url)) >= seen + 3)
    expect([receiver.taken.length, box.list().length]).toEqual([1, 1])
  })
})

async function evaluations(url: string): Promise<number> {
  const answer = (await (await fetch(`${url}/api/rules`)).json()) as { groups: { evaluations: number }[] }
  return answer.groups[0]?.evaluations ?? 0
}

/** A port of 127.0.0.1 that was free a moment ago. */
async function closedPort(open: () => Promise<LocalServer>): Promise<number> {
  const server = await open()
  await server.close()
  return Number(server.address.split(':')[1])
}
