import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Storage } from '../storage/storage.ts'
import { startClickHouseServer } from './support/clickhouse-server.ts'
import { isLoaded, readIngestMetrics } from './support/ingest-metrics.ts'
import { openTestStorage } from './support/open-test-storage.ts'
import { mountSmallVolume, type SmallVolume, whyNoVolume } from './support/small-volume.ts'
import { compareLedger, readRollupSums, readStored, type SpanLedger } from './support/span-ledger.ts'
import { type Refusal, type SpanSenders, startSenders } from './support/span-senders.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'
import { waitUntil } from './support/wait-until.ts'

vi.setConfig({ testTimeout: 150_000 })

const unavailable = whyNoVolume()
if (unavailable !== null) console.info(`skipped: ${unavailable}`)

let dir: string
const ends: (() => unknown)[] = []

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'meshwatch-disk-'))
})

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  rmSync(dir, { recursive: true, force: true })
})

function mount(mebibytes: number): SmallVolume {
  const volume = mountSmallVolume(mebibytes)
  ends.push(volume.remove)
  return volume
}

async function start(dataDir: string, environment: Record<string, string> = {}): Promise<MeshwatchServer> {
  // The guard would give up old data for room; here nothing may go.
  const server = await startMeshwatch({
    dataDir,
    environment: { MESHWATCH_RETENTION__MIN_FREE_SPACE: '0', ...environment },
  })
  ends.push(async () => {
    if (server.child.exitCode === null) server.child.kill('SIGKILL')
    await server.exit
  })
  return server
}

function send(server: MeshwatchServer, ledger: SpanLedger, spansPerMessage: number, pauseMs: number) {
  const senders = startSenders({ url: server.otlpHttpUrl, ledger, connections: 3, spansPerMessage, pauseMs })
  ends.push(senders.stop)
  return senders
}

async function ingestState(server: MeshwatchServer): Promise<Record<string, unknown>> {
  const { dependencies } = (await (await fetch(`${server.url}/readyz`)).json()) as {
    dependencies: { ingest: Record<string, unknown> }
  }
  return dependencies.ingest
}

function expectRefusedForSpace(refusals: readonly Refusal[]): void {
  expect(new Set(refusals.map(({ status, retryAfter }) => `${status} ${retryAfter}`))).toEqual(
    new Set(['503 5']),
  )
  for (const { body } of refusals)
    expect(body).toMatch(/Cannot write to the journal in .*: no space is left on the disk/)
}

async function goesOn(senders: SpanSenders, messages = 50): Promise<void> {
  const before = senders.acknowledged
  await waitUntil('senders are heard', () => senders.acknowledged >= before + messages)
}

/** Stops everything and compares what is stored with the ledger. */
async function expectNothingLost(
  server: MeshwatchServer,
  senders: SpanSenders,
  ledger: SpanLedger,
  url?: string,
): Promise<void> {
  await senders.stop()
  expect(senders.broken).toBe(0)
  await waitUntil('everything is loaded', () => isLoaded(server.url))
  expect(await ingestState(server)).toMatchObject({ isReady: true })
  expect(await server.stop()).toBe(0)
  const storage: Storage = await openTestStorage({
    dataDir: server.dataDir,
    ...(url === undefined ? {} : { url }),
  })
  try {
    const stored = await readStored(storage)
    expect(compareLedger(ledger, stored)).toEqual([])
    const { fromSpans, fromRollups } = await readRollupSums(storage)
    expect(fromRollups).toEqual(fromSpans)
    // The control: a message that was lost, and one that was refused and is there all the same, are seen.
    const [first] = stored
    expect(compareLedger(ledger, stored.slice(1))).toHaveLength(1)
    const [refused = 0] = [...ledger].flatMap(([serial, { fate }]) => (fate === 'refused' ? [serial] : []))
    if (refused > 0 && first !== undefined)
      expect(compareLedger(ledger, [...stored, { ...first, serial: refused }])).toHaveLength(1)
  } finally {
    await storage.close()
  }
}

describe.skipIf(unavailable !== null)('a full disk', () => {
  test('with everything on it: refused with the reason, and taken again when there is room', async () => {
    const volume = mount(256)
    const ledger: SpanLedger = new Map()
    const server = await start(join(volume.path, 'data'))
    const senders = send(server, ledger, 50, 5)
    await goesOn(senders)
    senders.phase = 'full'
    await waitUntil('senders are refused', () => {
      volume.fill()
      return senders.refusals.length >= 30
    })
    expectRefusedForSpace(senders.refusals)
    await waitUntil('readiness says why', async () => {
      volume.fill()
      const { isReady, reason } = await ingestState(server)
      return isReady === false && /no space is left on the disk/.test(String(reason))
    })
    senders.phase = 'freed'
    volume.free()
    await goesOn(senders)
    await expectNothingLost(server, senders, ledger)
  })

  test('is no reason not to start again, and what was acknowledged before is loaded when there is room', async () => {
    const volume = mount(256)
    const ledger: SpanLedger = new Map()
    const killed = await start(join(volume.path, 'data'))
    const senders = send(killed, ledger, 50, 5)
    await goesOn(senders)
    senders.phase = 'full'
    await waitUntil('senders are refused', () => {
      volume.fill()
      return senders.refusals.length >= 10
    })
    killed.child.kill('SIGKILL')
    await killed.exit
    await senders.stop()
    volume.fill()
    const server = await start(join(volume.path, 'data'))
    const later = send(server, ledger, 50, 5)
    later.phase = 'full'
    await waitUntil('senders are refused again', () => {
      volume.fill()
      return later.refusals.length >= 10
    })
    expectRefusedForSpace(later.refusals)
    later.phase = 'freed'
    volume.free()
    await goesOn(later)
    await expectNothingLost(server, later, ledger)
  })

  test('with the database on it and the journal elsewhere: taken all the time, loaded when there is room', async () => {
    const volume = mount(256)
    const ledger: SpanLedger = new Map()
    const server = await start(join(volume.path, 'data'), {
      MESHWATCH_INGEST__JOURNAL__DIR: join(dir, 'journal'),
    })
    const senders = send(server, ledger, 50, 20)
    await goesOn(senders)
    senders.phase = 'full'
    await waitUntil('the lag grows and readiness says why', async () => {
      volume.fill()
      const { lagSeconds } = await readIngestMetrics(server.url)
      return lagSeconds > 2 && /the disk is full/.test(String((await ingestState(server))['reason']))
    })
    await goesOn(senders)
    expect(await ingestState(server)).toMatchObject({ isReady: true })
    senders.phase = 'freed'
    volume.free()
    await waitUntil('the journal is loaded', async () => (await readIngestMetrics(server.url)).lagSeconds < 2)
    expect(senders.refusals).toEqual([])
    await expectNothingLost(server, senders, ledger)
  })

  test('that the journal filled by itself: it empties by itself when ClickHouse is back', async () => {
    const volume = mount(16)
    const clickHouse = await startClickHouseServer()
    ends.push(clickHouse.remove)
    const ledger: SpanLedger = new Map()
    const server = await start(join(dir, 'data'), {
      MESHWATCH_CLICKHOUSE__URL: clickHouse.url,
      MESHWATCH_INGEST__JOURNAL__DIR: join(volume.path, 'journal'),
    })
    const senders = send(server, ledger, 200, 2)
    await goesOn(senders)
    senders.phase = 'full'
    await clickHouse.behave({ mode: 'error', only: 'INSERT', errorCode: 252, errorMessage: 'Too many parts' })
    await waitUntil('senders are refused', () => senders.refusals.length >= 30)
    expectRefusedForSpace(senders.refusals)
    expect(await ingestState(server)).toMatchObject({ isReady: false })
    // What could not be written leaves nothing behind that takes room: a segment may be there for as long as it is tried.
    await waitUntil('nothing is left behind', () => {
      const files = readdirSync(join(volume.path, 'journal'))
      if (files.length < 5) return true
      throw new Error(`${senders.refusals.length} are refused, and there are ${files.join(', ')}`)
    })
    await clickHouse.behave({ mode: 'normal' })
    const before = senders.acknowledged
    await waitUntil('senders are heard', () => senders.acknowledged >= before + 50)
    await expectNothingLost(server, senders, ledger, clickHouse.url)
  })
})
