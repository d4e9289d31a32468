import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, test } from 'vitest'
import { waitUntil } from './support/wait-until.ts'

type Line = Readonly<Record<string, unknown>>

const PROGRAM = resolve(import.meta.dirname, '../bin/demo.ts')
const started: ChildProcess[] = []

afterEach(() => {
  for (const child of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  }
})

/** Starts the demo in a process group of its own, as a terminal does, on free ports unless told otherwise. */
function startDemo(environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [PROGRAM], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: {
      PATH: process.env['PATH'] ?? '',
      MESHWATCH_HTTP__PORT: '0',
      MESHWATCH_INGEST__OTLP_HTTP__PORT: '0',
      MESHWATCH_INGEST__OTLP_GRPC__PORT: '0',
      MESHWATCH_DEMO__MAILBOX_PORT: '0',
      ...environment,
    },
  })
  started.push(child)
  const lines: Line[] = []
  let stderr = ''
  createInterface({ input: child.stdout }).on('line', (text) => lines.push(JSON.parse(text) as Line))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exit = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  const event = async (name: string): Promise<Line> => {
    const find = () => lines.find((line) => line['event'] === name)
    await waitUntil(name, () => find() !== undefined || child.exitCode !== null)
    return find() ?? { missing: name, stderr }
  }
  return { child, event, exit, stderr: () => stderr }
}

function isRunning(pid: unknown): boolean {
  try {
    process.kill(Number(pid), 0)
    return true
  } catch {
    return false
  }
}

test.each(['SIGINT to the whole group, as Ctrl-C sends it', 'SIGTERM to the demo alone'])(
  '%s ends everything, and nothing stays behind',
  async (how) => {
    const demo = startDemo()
    const ready = await demo.event('ready')
    expect(ready).toMatchObject({ http: expect.stringMatching(/^http:/), pid: expect.any(Number) })
    const { mailbox, shop } = await demo.event('demo-ready')
    expect((await fetch(String(mailbox))).status).toBe(200)
    const bought = await fetch(String(shop))
    expect([bought.status, await bought.text()]).toEqual([200, 'shop: done\n'])
    expect(existsSync(String(ready['dataDir']))).toBe(true)

    const pid = demo.child.pid ?? 0
    if (how.startsWith('SIGINT')) process.kill(-pid, 'SIGINT')
    else process.kill(pid, 'SIGTERM')
    expect(await demo.exit).toBe(0)
    expect(demo.stderr()).toBe('')
    expect(isRunning(ready['pid'])).toBe(false)
    // The group is empty: no proxy runs either.
    expect(isRunning(-pid)).toBe(false)
    expect(existsSync(dirname(String(ready['dataDir'])))).toBe(false)
  },
)

test('a port that is in use ends the demo, which says why', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    const demo = startDemo({ MESHWATCH_HTTP__PORT: String(port) })
    expect(await demo.exit).toBe(1)
    expect(demo.stderr()).toBe(
      `Cannot listen on 127.0.0.1:${port} (http): another process is using that port\nThe server has ended with 1\n`,
    )
    expect(isRunning(-(demo.child.pid ?? 0))).toBe(false)
  } finally {
    other.close()
  }
})
