import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ClickHouseServer, startClickHouseServer } from './support/clickhouse-server.ts'
import { exportOneSpan } from './support/one-span.ts'
import { type MeshwatchServer, runMeshwatch, startMeshwatch } from './support/start-meshwatch.ts'
import { waitUntil } from './support/wait-until.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'

let dataDir: string
let clickHouse: ClickHouseServer
let server: MeshwatchServer | null = null

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'meshwatch-away-'))
  clickHouse = await startClickHouseServer({ username: 'default', password: 'right' })
  await clickHouse.kill()
})

afterEach(async () => {
  server?.child.kill('SIGKILL')
  await server?.exit
  server = null
  await clickHouse.remove()
  rmSync(dataDir, { recursive: true, force: true })
})

function environment(password: string): Record<string, string> {
  return { MESHWATCH_CLICKHOUSE__URL: clickHouse.url, MESHWATCH_CLICKHOUSE__PASSWORD: password }
}

async function readiness(url: string) {
  const response = await fetch(`${url}/readyz`)
  const { dependencies } = (await response.json()) as {
    dependencies: Record<string, { isReady: boolean; reason?: string }>
  }
  return { status: response.status, dependencies }
}

test('telemetry is taken while the ClickHouse server is away at the start, and is there when it comes', async () => {
  const running = await startMeshwatch({ dataDir, environment: environment('right') })
  server = running
  expect(await exportOneSpan(running.otlpHttpUrl, TRACE)).toBe(200)
  const before = await readiness(running.url)
  expect(before.status).toBe(503)
  expect(before.dependencies).toMatchObject({
    storage: {
      isReady: false,
      reason: expect.stringMatching(/^Cannot use ClickHouse at .*: ClickHouse refuses/),
    },
    ingest: { isReady: true },
    alerting: { isReady: false },
  })
  const refused = await fetch(`${running.url}/api/traces/${TRACE}`)
  expect(refused.status).toBe(503)
  expect(await refused.json()).toMatchObject({ error: { code: 'STORAGE_UNAVAILABLE' } })

  await clickHouse.start()
  await waitUntil('all is ready', async () => (await readiness(running.url)).status === 200)
  await waitUntil(
    'the span is there',
    async () => (await fetch(`${running.url}/api/traces/${TRACE}`)).status === 200,
  )
  const metrics = await (await fetch(`${running.url}/metrics`)).text()
  expect(metrics).toMatch(/^meshwatch_build_info\{.*clickhouse="26\..*\} 1$/m)
  expect(await running.stop()).toBe(0)
  expect(running.stderr()).toBe('')
})

test('one that refuses the password when it comes ends the process, in one sentence', async () => {
  server = await startMeshwatch({ dataDir, environment: environment('wrong-one') })
  await clickHouse.start()
  expect(await server.exit).toBe(1)
  expect(server.stderr()).toMatch(
    /^Cannot use ClickHouse at \S+: ClickHouse refuses the user name or password\n$/,
  )
  expect(server.stdout()).not.toContain('wrong-one')
})

test('waiting, it stops as asked', async () => {
  server = await startMeshwatch({ dataDir, environment: environment('right') })
  expect(await exportOneSpan(server.otlpHttpUrl, TRACE)).toBe(200)
  expect(await server.stop()).toBe(0)
  expect(server.stderr()).toBe('')
})

test('without the role ingest nothing waits for it: one sentence, exit 1', async () => {
  const failed = runMeshwatch({
    args: ['serve', '--data-dir', dataDir, '--roles', 'query'],
    environment: environment('right'),
  })
  expect(await failed.exit).toBe(1)
  expect(failed.stderr()).toMatch(/^Cannot use ClickHouse at \S+: ClickHouse refuses the connection\n$/)
})
