import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alertmanagerFile } from '../../app/demo/alertmanager-file.ts'
import { createDemoProcesses } from '../../app/demo/demo-processes.ts'
import { createMessageBox, type ReceivedMessage } from '../../app/demo/message-box.ts'
import { startLoad } from '../../app/demo/start-load.ts'
import { startMailSink } from '../../app/demo/start-mail-sink.ts'
import { startMailboxPage } from '../../app/demo/start-mailbox-page.ts'
import { startMesh } from '../../app/demo/start-mesh.ts'
import { HEALTHY } from '../../app/demo/start-payments.ts'
import { systemClock } from '../../runtime/clock.ts'
import { startMeshwatch } from '../../test/support/start-meshwatch.ts'
import type { BenchOptions } from '../bench-options.ts'
import { type Figure, ms } from '../figure.ts'
import { quantile } from '../quantile.ts'
import { withDirectory } from '../with-directory.ts'

const RULES = `groups:
- name: bench
  interval: 1s
  rules:
  - alert: Failing
    expr: sum by (destination_service_name) (rate(istio_requests_total{reporter="source",response_code="500"}[5s])) > 0
    labels: { team: demo }
`

/** From the first bad request of a service behind the proxy to the webhook that tells it, with the shortest periods that can be configured. */
export function measureAlertLatency(options: BenchOptions): Promise<readonly Figure[]> {
  return withDirectory(options, async (folder) => {
    const closers: (() => Promise<unknown> | unknown)[] = []
    try {
      return await measure(folder, options.questions ?? 10, closers)
    } finally {
      for (const close of closers.reverse()) await close()
    }
  })
}

async function measure(
  folder: string,
  times: number,
  closers: (() => Promise<unknown> | unknown)[],
): Promise<readonly Figure[]> {
  const clock = systemClock
  const box = createMessageBox()
  const signingSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const mail = await startMailSink({ port: 0, box, clock })
  closers.push(() => mail.close())
  const page = await startMailboxPage({ port: 0, box, clock, signingSecret })
  closers.push(() => page.close())
  const rules = join(folder, 'rules.yaml')
  const alertmanager = join(folder, 'alertmanager.yaml')
  writeFileSync(rules, RULES)
  const file = alertmanagerFile({ smtp: mail.address, mailbox: page.address, signingSecret })
  writeFileSync(
    alertmanager,
    file.replace('group_wait: 1s', 'group_wait: 0s').replace('group_interval: 3s', 'group_interval: 1s'),
  )
  const server = await startMeshwatch({
    dataDir: join(folder, 'data'),
    environment: {
      MESHWATCH_RULES__FILES: JSON.stringify([rules]),
      MESHWATCH_ALERTING__CONFIG_FILE: alertmanager,
    },
  })
  closers.push(() => server.stop())
  const processes = createDemoProcesses({
    environment: process.env,
    narrator: { passOn: () => {} },
    onEnded: (sentence) => console.log(sentence),
  })
  const mesh = await startMesh({
    folder,
    otlpEndpoint: server.otlpHttpUrl,
    shopPort: 0,
    runProxy: (service, files) => processes.startProxy(service, files),
    random: Math.random,
  })
  closers.push(() => mesh.close())
  const load = startLoad({ address: mesh.entrance, requestsPerSecond: 50 })
  closers.push(() => load.stop())
  closers.push(() => processes.expectEnd('SIGTERM'))

  const next = (channel: ReceivedMessage['channel'], status: ReceivedMessage['status']) => {
    const came = Promise.withResolvers<number>()
    const end = box.onMessage((message) => {
      if (message.channel !== channel || message.status !== status) return
      end()
      came.resolve(performance.now())
    })
    return came.promise
  }
  await new Promise((resolve) => setTimeout(resolve, 8_000))
  const webhooks: number[] = []
  const mails: number[] = []
  for (let round = 1; round <= times; round++) {
    const hook = next('webhook', 'firing')
    const letter = next('mail', 'firing')
    const started = performance.now()
    for (const endpoint of mesh.payments) endpoint.behave({ delayMs: 5, failureShare: 1, failureStatus: 500 })
    webhooks.push((await hook) - started)
    mails.push((await letter) - started)
    const over = next('webhook', 'resolved')
    for (const endpoint of mesh.payments) endpoint.behave(HEALTHY)
    await over
    console.log(`round ${round}: webhook ${ms(webhooks.at(-1) ?? 0)}, mail ${ms(mails.at(-1) ?? 0)}`)
    // Not in step with the slots of the rule and the exports of the proxies.
    await new Promise((resolve) => setTimeout(resolve, 1_000 + Math.random() * 1_000))
  }
  const line = (list: readonly number[]) =>
    `p50 ${ms(quantile(list, 0.5))}, max ${ms(quantile(list, 1))} of ${list.length}`
  return [
    {
      what: 'first bad request → webhook received',
      value: line(webhooks),
      beside: 'rule and export every 1 s, no hold, no group_wait; evidence gathered',
    },
    { what: 'first bad request → mail received', value: line(mails) },
  ]
}
