import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { type ClickHouseServer, startClickHouseServer } from './support/clickhouse-server.ts'
import { isLoaded, readIngestMetrics } from './support/ingest-metrics.ts'
import { openTestStorage } from './support/open-test-storage.ts'
import { connectRawGrpc } from './support/otlp-client.ts'
import { compareLedger, readRollupSums, readStored, type SpanLedger } from './support/span-ledger.ts'
import { createSpanMessage } from './support/span-message.ts'
import { type SpanSenders, startSenders } from './support/span-senders.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'
import { waitUntil } from './support/wait-until.ts'

const MIB = 2 ** 20

vi.setConfig({ testTimeout: 150_000 })

let clickHouse: ClickHouseServer
let server: MeshwatchServer
let steady: SpanSenders
const ledger: SpanLedger = new Map()

let dataDir: string

const start = () =>
  startMeshwatch({
    dataDir,
    environment: {
      MESHWATCH_CLICKHOUSE__URL: clickHouse.url,
      MESHWATCH_INGEST__JOURNAL__MAX_SIZE: '24MiB',
    },
  })

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'meshwatch-outage-'))
  clickHouse = await startClickHouseServer()
  server = await start()
  steady = startSenders({
    url: server.otlpHttpUrl,
    ledger,
    connections: 2,
    spansPerMessage: 20,
    pauseMs: 25,
    daysBack: 2,
  })
})

afterAll(async () => {
  await steady?.stop()
  if (server?.child.exitCode === null) await server.stop()
  await clickHouse?.remove()
  rmSync(dataDir, { recursive: true, force: true })
})

/** Names what happens from here on, and gives ClickHouse up for as long as it takes to see it. */
async function outage(phase: string, begin: () => void | Promise<void>): Promise<void> {
  await waitUntil('the lag is small before', async () => (await readIngestMetrics(server.url)).lagSeconds < 2)
  steady.phase = phase
  await begin()
  const before = steady.acknowledged
  await waitUntil(`${phase}: ingest goes on`, () => steady.acknowledged >= before + 40)
  await waitUntil(`${phase}: the lag tells`, async () => (await readIngestMetrics(server.url)).lagSeconds > 2)
  expect((await readIngestMetrics(server.url)).journalBytes).toBeGreaterThan(0)
}

/** Waits until ClickHouse gets the journal again, while the senders go on. */
async function recovery(phase: string): Promise<void> {
  const before = steady.acknowledged
  await waitUntil(`${phase}: over`, async () => (await readIngestMetrics(server.url)).lagSeconds < 2)
  await waitUntil(`${phase}: ingest goes on`, () => steady.acknowledged >= before + 10)
  await waitUntil(`${phase}: ready`, async () => (await readiness()).status === 200)
}

async function readiness(): Promise<{ status: number; body: Record<string, Record<string, unknown>> }> {
  const answer = await fetch(`${server.url}/readyz`)
  const body = (await answer.json()) as { dependencies: Record<string, Record<string, unknown>> }
  return { status: answer.status, body: body.dependencies }
}

test('ClickHouse is killed and comes back', async () => {
  await outage('killed', () => clickHouse.kill())
  const { status, body } = await readiness()
  expect(status).toBe(503)
  expect(body['storage']).toMatchObject({ isReady: false, reason: expect.stringMatching(/^Cannot reach/) })
  // Telemetry is still taken: ingest by itself is ready, and says what it waits for.
  expect(body['ingest']).toMatchObject({
    isReady: true,
    reason: expect.stringMatching(/^Cannot insert into .* ClickHouse refuses the connection/),
  })
  expect(Number(body['ingest']?.['journalBytes'])).toBeGreaterThan(0)
  await clickHouse.start()
  await recovery('killed')
})

test('ClickHouse is killed in the middle of inserts', async () => {
  steady.phase = 'killed in inserts'
  for (let round = 0; round < 2; round++) {
    // Stalled, so that an insert is certainly under way; released and killed while it runs.
    await clickHouse.behave({ mode: 'stall', only: 'INSERT INTO spans' })
    const begun = await readIngestMetrics(server.url)
    await waitUntil('an insert waits', async () => {
      const now = await readIngestMetrics(server.url)
      return now.lagSeconds > 1.3 && now.journalBytes > begun.journalBytes
    })
    await clickHouse.behave({ mode: 'normal' })
    await new Promise((resolve) => setTimeout(resolve, 4 + round * 12))
    await clickHouse.kill()
    await clickHouse.start()
    await recovery('killed in inserts')
  }
})

test('ClickHouse stalls: inserts are taken and not answered', async () => {
  await outage('stalled', () => clickHouse.behave({ mode: 'stall', only: 'INSERT' }))
  expect((await readiness()).body['ingest']).toMatchObject({ isReady: true })
  await clickHouse.behave({ mode: 'normal' })
  await recovery('stalled')
})

test('ClickHouse is frozen: connections are taken and nothing moves', async () => {
  await outage('frozen', () => clickHouse.freeze())
  expect((await readiness()).body['storage']).toMatchObject({ isReady: false })
  clickHouse.thaw()
  await recovery('frozen')
})

test.each([
  ['252', 'Too many parts (3001). Merges are processing significantly slower than inserts'],
  ['243', 'Cannot reserve 1.00 MiB, not enough space'],
  ['1002', 'Unknown exception'],
])('ClickHouse answers inserts with error %s', async (code, message) => {
  const phase = `error ${code}`
  await outage(phase, () =>
    clickHouse.behave({
      mode: 'error',
      only: 'INSERT INTO spans',
      errorCode: Number(code),
      errorMessage: message,
    }),
  )
  await waitUntil(`${phase}: readiness tells`, async () => {
    const { isReady, reason } = (await readiness()).body['ingest'] ?? {}
    return isReady === true && /^Cannot insert into spans: /.test(String(reason))
  })
  await clickHouse.behave({ mode: 'normal' })
  await recovery(phase)
})

test('ClickHouse executes inserts and the answer is lost', async () => {
  const failures = async () => (await readIngestMetrics(server.url)).loadFailures
  const before = await failures()
  await outage('answer lost', () => clickHouse.behave({ mode: 'lose-answer', only: 'INSERT' }))
  await waitUntil('several tries', async () => (await failures()) >= before + 4)
  await clickHouse.behave({ mode: 'normal' })
  await recovery('answer lost')
})

test('the journal fills up: senders are asked to wait, and all goes on when ClickHouse is back', async () => {
  await outage('journal full', () => clickHouse.kill())
  const burst = startSenders({ url: server.otlpHttpUrl, ledger, connections: 4, spansPerMessage: 400 })
  burst.phase = 'journal full'
  await waitUntil('senders are refused', () => burst.refusals.length >= 8 && steady.refusals.length >= 8)
  const { status, body } = await readiness()
  expect(status).toBe(503)
  expect(body['ingest']).toMatchObject({ isReady: false, reason: 'the journal is full' })
  const { journalBytes } = await readIngestMetrics(server.url)
  expect(journalBytes).toBeGreaterThan(23 * MIB)
  expect(journalBytes).toBeLessThan(27 * MIB)
  for (const refusal of [...burst.refusals, ...steady.refusals]) {
    expect(refusal).toMatchObject({ status: 503, retryAfter: '5', phase: 'journal full' })
    expect(refusal.body).toContain('the journal is full')
  }
  const grpc = connectRawGrpc(server.otlpGrpcAddress)
  const message = createSpanMessage(1, 'refused')
  // 14 is UNAVAILABLE.
  expect(await grpc.export('traces', message.bytes)).toMatchObject({
    code: 14,
    message: expect.stringContaining('the journal is full'),
  })
  grpc.close()
  await clickHouse.start()
  const before = burst.acknowledged
  await waitUntil('senders of the burst are heard again', () => burst.acknowledged >= before + 10)
  await burst.stop()
  expect(burst.broken).toBe(0)
  await recovery('journal full')
})

test('asked to stop while ClickHouse stalls: it stops in time, and the next start loads what is left', async () => {
  await outage('stopped', () => clickHouse.behave({ mode: 'stall', only: 'INSERT' }))
  expect(steady.broken).toBe(0)
  expect(steady.refusals.filter(({ phase }) => phase !== 'journal full')).toEqual([])
  const begun = systemClock.monotonic()
  server.child.kill('SIGTERM')
  expect(await server.exit).toBe(0)
  expect(systemClock.monotonic() - begun).toBeLessThan(30_000)
  await steady.stop()
  await clickHouse.behave({ mode: 'normal' })
  server = await start()
})

test('in the end nothing that was acknowledged is lost or doubled', async () => {
  await waitUntil('everything is loaded', () => isLoaded(server.url))
  expect(await server.stop()).toBe(0)

  const storage = await openTestStorage({ dataDir, url: clickHouse.url })
  try {
    const stored = await readStored(storage)
    expect(compareLedger(ledger, stored)).toEqual([])
    const { fromSpans, fromRollups } = await readRollupSums(storage)
    expect(fromRollups).toEqual(fromSpans)

    // The control: each kind of difference is seen.
    const [first, second, third] = stored
    if (first === undefined || second === undefined || third === undefined) throw new Error('nothing stored')
    const twice = { ...second, spans: second.spans * 2 }
    const short = { ...third, spans: third.spans - 1, distinct: third.distinct - 1 }
    const unknown = { serial: 999_999_999, spans: 1, distinct: 1 }
    const problems = compareLedger(ledger, [...stored.slice(3), twice, short, unknown])
    expect(problems).toHaveLength(4)
    const refused: SpanLedger = new Map([[first.serial, { spans: 20, phase: 'control', fate: 'refused' }]])
    expect(compareLedger(refused, [first])).toHaveLength(1)
  } finally {
    await storage.close()
  }
})
