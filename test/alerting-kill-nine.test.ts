import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { waitUntil } from './support/wait-until.ts'

interface Received {
  readonly id: string
  readonly payload: { readonly status: string; readonly alerts: readonly { readonly labels: object }[] }
}

let dataDir: string
let configFile: string
let server: Server
let received: Received[]
/** What the receiver does with a message it has read. */
let answer: (response: ServerResponse) => void
const children = new Set<ChildProcess>()

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'meshwatch-kill-'))
  received = []
  server = createServer((request: IncomingMessage, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      received.push({
        id: String(request.headers['idempotency-key']),
        payload: JSON.parse(Buffer.concat(parts).toString()),
      })
      answer(response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  configFile = join(dataDir, 'alertmanager.yml')
  writeFileSync(
    configFile,
    `route: {receiver: hook, group_wait: 0s, group_interval: 1s}
receivers:
  - name: hook
    webhook_configs: [{url: 'http://127.0.0.1:${(server.address() as AddressInfo).port}/'}]
`,
  )
})

afterEach(async () => {
  await Promise.all([...children].map(kill))
  server.closeAllConnections()
  server.close()
  rmSync(dataDir, { recursive: true, force: true })
})

async function start(...alertname: readonly string[]): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'support/alerting-process.ts')
  const child = spawn(process.execPath, [script, dataDir, configFile, ...alertname], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  await once(child.stdout ?? child, 'data')
  return child
}

/** The files of the log: records are JSON behind a few bytes. */
function logTexts(): string[] {
  const folder = join(dataDir, 'alerting')
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'))
}

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('killed while a receiver has the message and did not answer: told again with the same key, then never more', async () => {
  answer = () => {}
  const first = await start('A')
  await waitUntil('the message arrives', () => received.length === 1)
  await kill(first)
  answer = (response) => response.end('ok')
  const second = await start()
  await waitUntil('it arrives again', () => received.length === 2)
  expect(received[1]).toEqual(received[0])
  // A third start knows that it was delivered: what it says first is about another alert.
  await waitUntil('the receipt is written', () =>
    logTexts().some((text) => text.includes('"state":"delivered"')),
  )
  await kill(second)
  await start('B')
  await waitUntil('news arrives', () => received.length > 2)
  expect(received[2]?.id).not.toBe(received[0]?.id)
  expect(received[2]?.payload.alerts).toHaveLength(2)
})

test('killed before anybody could be reached: told after the restart, once', async () => {
  answer = (response) => response.writeHead(503).end()
  const first = await start('A')
  await waitUntil('the receiver refuses', () => received.length === 1)
  await kill(first)
  answer = (response) => response.end('ok')
  await start()
  await waitUntil('it arrives', () => received.length > 1)
  expect(new Set(received.map(({ id }) => id)).size).toBe(1)
  expect(received.at(-1)?.payload).toMatchObject({
    status: 'firing',
    alerts: [{ labels: { alertname: 'A' } }],
  })
})
