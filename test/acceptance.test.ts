import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configSchema } from '../app/config.ts'
import { alertmanagerFile } from '../app/demo/alertmanager-file.ts'
import { createMessageBox, type ReceivedMessage } from '../app/demo/message-box.ts'
import { type IncidentReport, runIncidents } from '../app/demo/run-incidents.ts'
import { startLoad } from '../app/demo/start-load.ts'
import { startMailSink } from '../app/demo/start-mail-sink.ts'
import { startMailboxPage } from '../app/demo/start-mailbox-page.ts'
import { type DemoMesh, startMesh } from '../app/demo/start-mesh.ts'
import { ROLES } from '../app/role.ts'
import { createShutdownStack } from '../app/shutdown-stack.ts'
import { type RunningServer, startServer } from '../app/start-server.ts'
import { loadProxyFiles } from '../proxy/load-proxy-files.ts'
import { runProxy } from '../proxy/run-proxy.ts'
import { systemClock } from '../runtime/clock.ts'

/** The evidence of a webhook, as far as it is looked at here. */
interface Evidence {
  readonly traces: readonly { readonly traceId: string; readonly why: string; readonly link: string }[]
  readonly endpointsEjected: readonly { readonly endpoint: string; readonly cluster: string }[]
  readonly by503Flag: readonly { readonly flags: string; readonly count: number }[]
  readonly problem: string | null
}

const PAYMENTS = 'outbound|8080||payments.demo.svc.cluster.local'
const SECRET = `whsec_${Buffer.from('thirty-two bytes of no surprise!').toString('base64')}`
const DEMO = join(import.meta.dirname, '../app/demo')
const logger = pino({ level: 'silent' })
const clock = systemClock

/**
 * The demo in one process: real services behind real proxies, real telemetry into a real store, rules and alerting as they are, mail and webhooks
 * received. Only the periods are shorter: windows of rules, holds, ejections.
 */
describe('a service fails behind the proxy, and on-call knows why', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshwatch-acceptance-'))
  const stack = createShutdownStack(logger)
  const box = createMessageBox()
  let server: RunningServer
  let mesh: DemoMesh
  let reports: readonly IncidentReport[]

  beforeAll(async () => {
    const mail = await startMailSink({ port: 0, box, clock })
    stack.push('mail', () => mail.close())
    const page = await startMailboxPage({ port: 0, box, clock, signingSecret: SECRET })
    stack.push('page', () => page.close())
    server = await startServer({
      config: configSchema.parse({
        dataDir: join(folder, 'data'),
        http: { port: 0 },
        ingest: { otlpHttp: { port: 0 }, otlpGrpc: { port: 0 } },
        rules: { files: [write('rules.yaml', shorter('demo.rules.yaml'))], packs: [] },
        alerting: {
          configFile: write(
            'alertmanager.yaml',
            alertmanagerFile({ smtp: mail.address, mailbox: page.address, signingSecret: SECRET }),
          ),
        },
      }),
      roles: new Set(ROLES),
      clock,
      logger,
      registry: new Registry(),
      isLogReadable: false,
      onFailure: (error) => {
        throw error
      },
    })
    stack.push('server', () => server.stop())
    mesh = await startMesh({
      folder,
      policyFile: write('policy.yaml', shorter('policy.yaml')),
      otlpEndpoint: server.addresses['otlpHttp'] ?? '',
      shopPort: 0,
      random: Math.random,
      async runProxy(_, files) {
        const proxy = await runProxy({ files: loadProxyFiles(files), clock, logger, version: 'test' })
        const addresses = (role: string) =>
          proxy.listeners.filter((listener) => listener.role === role).map(({ address }) => address)
        return {
          inbound: addresses('inbound'),
          outbound: addresses('outbound')[0] ?? '',
          stop: () => proxy.close(),
        }
      },
    })
    stack.push('mesh', () => mesh.close())
    const load = startLoad({ address: mesh.entrance, requestsPerSecond: 25 })
    stack.push('load', () => load.stop())
    reports = await runIncidents({
      payments: mesh.payments,
      box,
      patienceMs: 60_000,
      calmMs: 2_000,
      signal: new AbortController().signal,
      onStart: () => {},
      onOver: () => {},
    })
  }, 300_000)

  afterAll(async () => {
    await stack.stopAll()
    rmSync(folder, { recursive: true, force: true })
  })

  function write(name: string, text: string): string {
    mkdirSync(folder, { recursive: true })
    const file = join(folder, name)
    writeFileSync(file, text)
    return file
  }

  /** A file of the demo with its periods shortened. */
  function shorter(name: string): string {
    return readFileSync(join(DEMO, name), 'utf8')
      .replaceAll('[15s]', '[6s]')
      .replaceAll(': 3s', ': 1s')
      .replaceAll('keep_firing_for: 6s', 'keep_firing_for: 3s')
      .replaceAll('baseEjectionTime: 10s', 'baseEjectionTime: 4s')
  }

  function message(
    alert: string,
    channel: ReceivedMessage['channel'],
    status: ReceivedMessage['status'],
  ): ReceivedMessage {
    const found = box
      .list()
      .find((one) => one.channel === channel && one.status === status && one.alerts.includes(alert))
    if (found === undefined) throw new Error(`no ${status} ${channel} of ${alert}`)
    return found
  }

  function evidenceOf(alert: string, status: ReceivedMessage['status'] = 'firing'): Evidence {
    const { evidence } = (
      JSON.parse(message(alert, 'webhook', status).text) as { mesh: { evidence: Evidence } }
    ).mesh
    return evidence
  }

  async function ask<Answer>(path: string): Promise<Answer> {
    const response = await fetch(path.startsWith('http') ? path : `${server.addresses['http']}${path}`)
    expect(response.status, path).toBe(200)
    return (await response.json()) as Answer
  }

  test('every incident is told by mail and webhook, and so is its end', () => {
    expect(reports.map(({ incident, isTold, isResolved }) => [incident.alert, isTold, isResolved])).toEqual([
      ['DemoRetryStorm', true, true],
      ['DemoEndpointEjected', true, true],
      ['DemoBreakerOverflow', true, true],
    ])
    expect(
      new Set(
        box
          .list()
          .filter(({ channel }) => channel === 'webhook')
          .map(({ note }) => note),
      ),
    ).toEqual(new Set(['signature: valid']))
  })

  test('the retry storm: who is called, and traces in which the retries can be seen', async () => {
    const mail = message('DemoRetryStorm', 'mail', 'firing')
    expect(mail.title).toContain('[FIRING:1] DemoRetryStorm')
    expect(mail.text).toMatch(
      new RegExp(`% of the requests to ${PAYMENTS.replaceAll('|', '\\|')} are retries`),
    )
    const { traces, problem } = evidenceOf('DemoRetryStorm')
    expect(problem).toBeNull()
    const retried = traces.find(({ why }) => why === 'most-retried')
    expect(mail.text).toContain(retried?.link)
    expect(mail.html).toContain(retried?.link)
    const { trace } = await ask<{ trace: unknown }>(retried?.link ?? '').then((answer) => ({ trace: answer }))
    const attempts = JSON.stringify(trace).match(/http\.request\.resend_count/g) ?? []
    expect(attempts.length).toBeGreaterThan(0)
  })

  test('the broken endpoint is named, and it is the one that was broken', async () => {
    const { endpointsEjected } = evidenceOf('DemoEndpointEjected')
    expect(endpointsEjected.length).toBeGreaterThan(0)
    for (const { endpoint, cluster } of endpointsEjected) {
      expect([endpoint, cluster]).toEqual([mesh.paymentsAddresses[1], PAYMENTS])
    }
    const mail = message('DemoEndpointEjected', 'mail', 'firing')
    expect(mail.text).toContain(`${mesh.paymentsAddresses[1]} of ${PAYMENTS}`)
  })

  test('the overflow: 503s by their flag', () => {
    const { by503Flag, traces } = evidenceOf('DemoBreakerOverflow')
    expect(by503Flag.map(({ flags }) => flags)).toContain('UO')
    expect(traces.length).toBeGreaterThan(0)
    expect(message('DemoBreakerOverflow', 'mail', 'firing').text).toMatch(/503 BY RESPONSE FLAG\n +UO: \d+/)
  })

  test('the end says when it began and when it was over', () => {
    for (const { incident } of reports) {
      expect(message(incident.alert, 'mail', 'resolved').text).toMatch(
        /since +\d{4}-\d\d-\d\d .*\n +over +\d{4}-/,
      )
    }
  })

  test('the API tells the same: messages with their receipts, alerts as Prometheus shows them', async () => {
    const { notifications } = await ask<{
      notifications: {
        integration: string
        state: string
        status: string
        attempts: { receipt: object | null }[]
      }[]
    }>('/api/notifications')
    for (const integration of ['email', 'webhook']) {
      for (const status of ['firing', 'resolved']) {
        const told = notifications.filter((one) => one.integration === integration && one.status === status)
        expect(told.length, `${integration} ${status}`).toBeGreaterThanOrEqual(3)
        expect(new Set(told.map(({ state }) => state))).toEqual(new Set(['delivered']))
        expect(told.every(({ attempts }) => attempts.at(-1)?.receipt !== null)).toBe(true)
      }
    }
    const fired = await ask<{ data: { result: { metric: Record<string, string> }[] } }>(
      `/prometheus/api/v1/query?query=${encodeURIComponent('count by (alertname) (max_over_time(ALERTS{alertstate="firing"}[10m]))')}`,
    )
    expect(fired.data.result.map(({ metric }) => metric['alertname']).sort()).toEqual([
      'DemoBreakerOverflow',
      'DemoEndpointEjected',
      'DemoRetryStorm',
    ])
    const { services } = await ask<{ services: { service: string }[] }>('/api/services')
    expect(services.map(({ service }) => service).sort()).toEqual(['cart.demo', 'payments.demo', 'shop.demo'])
  })
})
