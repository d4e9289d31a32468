import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../runtime/clock.ts'
import type { Config } from '../config.ts'
import type { ShutdownStack } from '../shutdown-stack.ts'
import { alertmanagerFile } from './alertmanager-file.ts'
import type { Narrator } from './create-narrator.ts'
import type { DemoProcesses } from './demo-processes.ts'
import { createMessageBox } from './message-box.ts'
import { runIncidents } from './run-incidents.ts'
import { startLoad } from './start-load.ts'
import { startMailSink } from './start-mail-sink.ts'
import { startMailboxPage } from './start-mailbox-page.ts'
import { startMesh } from './start-mesh.ts'

/** What the demo is played with. */
export interface DemoOptions {
  readonly config: Config
  /** The configuration's file; null: none. */
  readonly configFile: string | null
  readonly dataDir: string
  /** End after the incidents. */
  readonly isOnce: boolean
  /** For files that need not outlive the demo. */
  readonly folder: string
  readonly processes: DemoProcesses
  readonly narrator: Narrator
  /** What is started is pushed here. */
  readonly stack: ShutdownStack
  readonly signal: AbortSignal
}

/** The rules whose alerts the incidents raise. */
const RULES = join(import.meta.dirname, 'demo.rules.yaml')
const PATIENCE_MS = 90_000
const CALM_MS = 6_000
const PAUSE_MS = 60_000

/**
 * Starts mailbox, server, mesh and load, and lets the incidents happen again and again. Returns, with `isOnce`, whether each was told and
 * resolved. Throws AbortError when `signal` is aborted, AppError CANNOT_START when a part does not start.
 */
export async function playDemo(options: DemoOptions): Promise<boolean> {
  const { config, narrator, processes, stack, signal } = options
  const signingSecret = `whsec_${randomBytes(32).toString('base64')}`
  const box = createMessageBox()
  box.onMessage((message) => narrator.tellMessage(message))
  const clock = systemClock
  const mail = await startMailSink({ port: config.demo.smtpPort, box, clock })
  stack.push('mail server', () => mail.close())
  const page = await startMailboxPage({ port: config.demo.mailboxPort, box, clock, signingSecret })
  stack.push('mailbox', () => page.close())

  const alertmanager = join(options.folder, 'alertmanager.yaml')
  writeFileSync(alertmanager, alertmanagerFile({ smtp: mail.address, mailbox: page.address, signingSecret }))
  const { http, otlpHttp } = await startServer(options, alertmanager)
  signal.throwIfAborted()
  const mesh = await startMesh({
    folder: options.folder,
    otlpEndpoint: otlpHttp,
    shopPort: config.demo.shopPort,
    runProxy: (service, files) => processes.startProxy(service, files),
    random: Math.random,
  })
  stack.push('mesh', () => mesh.close())
  const { requestsPerSecond } = config.demo
  const load = startLoad({ address: mesh.entrance, requestsPerSecond })
  stack.push('load', () => load.stop())
  narrator.tell('demo-ready', `The mesh runs: shop → cart → payments. Messages: http://${page.address}/`, {
    mailbox: `http://${page.address}/`,
    shop: `http://${mesh.entrance}/checkout`,
    api: http,
    smtp: mail.address,
    requestsPerSecond,
  })

  while (true) {
    const reports = await runIncidents({
      payments: mesh.payments,
      box,
      patienceMs: PATIENCE_MS,
      calmMs: CALM_MS,
      signal,
      onStart: ({ title, alert }, number) => {
        load.takeCounts()
        narrator.tell('incident', `Incident ${number}: ${title}`, { number, alert })
      },
      onOver: ({ alert }) =>
        narrator.tell('incident-over', 'Payments is well again', { alert, ...load.takeCounts() }),
    })
    const untold = reports.filter(({ isResolved }) => !isResolved)
    for (const { incident, isTold } of untold) {
      narrator.warn('untold', `${incident.alert}: its ${isTold ? 'end' : 'beginning'} was not told in time`)
    }
    if (options.isOnce) return untold.length === 0
    narrator.tell('demo-pause', 'All incidents are over; they begin again in a minute. Ctrl-C ends the demo')
    await delay(PAUSE_MS, undefined, { signal })
  }
}

async function startServer(
  { config, configFile, dataDir, narrator, processes, stack }: DemoOptions,
  alertmanager: string,
): Promise<{ readonly http: string; readonly otlpHttp: string }> {
  const own = config.alerting.configFile
  if (own !== null) narrator.warn('mailbox-unused', `Messages go where ${own} sends them, not to the mailbox`)
  const file = configFile === null ? [] : ['--config', configFile]
  const server = await processes.startServer([...file, '--data-dir', dataDir], {
    MESHWATCH_RULES__FILES: JSON.stringify([...config.rules.files, RULES]),
    MESHWATCH_ALERTING__CONFIG_FILE: own ?? alertmanager,
  })
  stack.push('server', () => server.stop())
  const { level, time, event, ...facts } = server.ready
  narrator.tell('ready', 'The server is ready', facts)
  return { http: String(facts['http']), otlpHttp: String(facts['otlpHttp']) }
}
