import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isLoaded } from './support/ingest-metrics.ts'
import { openTestStorage } from './support/open-test-storage.ts'
import { type SeededRandom, seededRandom } from './support/seeded-random.ts'
import { compareLedger, readRollupSums, readStored, type SpanLedger } from './support/span-ledger.ts'
import { type Refusal, type SpanSenders, startSenders } from './support/span-senders.ts'
import { type MeshwatchProcess, runMeshwatch, startMeshwatch } from './support/start-meshwatch.ts'
import { testSeed } from './support/test-seed.ts'
import { waitUntil } from './support/wait-until.ts'

const ROUNDS = 24
const SPANS_PER_MESSAGE = 50

/** When in its life a server ends; all but one are ends by SIGKILL. */
const MOMENTS = [
  'start-up',
  'first acknowledgement',
  'any time',
  'asked to stop',
  'load',
  'second load',
] as const
/** Small, so that segments follow each other quickly. */
const JOURNAL = { MESHWATCH_INGEST__JOURNAL__MAX_SIZE: '24MiB' }

let dataDir: string
beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'meshwatch-kill-'))
})
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

test('killed twenty times, stopped four times: what was acknowledged is there exactly once', {
  timeout: 240_000,
}, async () => {
  const random = seededRandom(testSeed('kill-nine'))
  const ledger: SpanLedger = new Map()
  const refusals: Refusal[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const moment = MOMENTS[round % MOMENTS.length] as (typeof MOMENTS)[number]
    refusals.push(...(await liveAndDie(moment, `round ${round}, ${moment}`, ledger, random)))
  }
  const fates = [...ledger.values()].map((entry) => entry.fate)
  expect(fates.filter((fate) => fate === 'acknowledged').length).toBeGreaterThan(200)
  expect(fates.filter((fate) => fate === 'sent').length).toBeGreaterThan(ROUNDS / 2)
  // A server that stops refuses, and one whose loads cannot keep up; nothing else is a reason.
  for (const { body, phase } of refusals)
    expect(body).toMatch(phase.includes('asked to stop') ? /shutting down|is full/ : /is full/)

  tearNewestSegment()
  const server = await startMeshwatch({ dataDir, environment: JOURNAL })
  try {
    expect(server.lines).toContainEqual(expect.objectContaining({ event: 'journal_cut' }))
    await waitUntil('everything is loaded', () => isLoaded(server.url))
  } finally {
    expect(await server.stop()).toBe(0)
  }

  const storage = await openTestStorage({ dataDir })
  try {
    const stored = await readStored(storage)
    expect(compareLedger(ledger, stored)).toEqual([])
    const { fromSpans, fromRollups } = await readRollupSums(storage)
    expect(fromRollups).toEqual(fromSpans)

    // The control: one message taken away and one stored twice in the very same tables are seen.
    const [lost = 0, doubled = 0] = [...ledger].flatMap(([serial, { fate }]) =>
      fate === 'acknowledged' ? [serial] : [],
    )
    const ofSerial = 'reinterpretAsUInt32(reverse(substring(span_id, 1, 4)))'
    await storage.command(
      `ALTER TABLE spans DELETE WHERE ${ofSerial} = {lost:UInt32} SETTINGS mutations_sync = 2`,
      {
        lost,
      },
    )
    await storage.command(`INSERT INTO spans SELECT * FROM spans WHERE ${ofSerial} = {doubled:UInt32}`, {
      doubled,
    })
    const problems = compareLedger(ledger, await readStored(storage))
    expect(problems.map((problem) => problem.replace(/\(.*\)/, ''))).toEqual([
      `message ${lost}  has ${SPANS_PER_MESSAGE} spans: 0 are stored, 0 distinct`,
      `message ${doubled}  has ${SPANS_PER_MESSAGE} spans: ${2 * SPANS_PER_MESSAGE} are stored, ${SPANS_PER_MESSAGE} distinct`,
    ])
    const changed = await readRollupSums(storage)
    expect(changed.fromRollups).not.toEqual(changed.fromSpans)
  } finally {
    await storage.close()
  }
})

/** One life of the server on the data directory, from its start to its end. Returns what it refused. */
async function liveAndDie(
  moment: (typeof MOMENTS)[number],
  phase: string,
  ledger: SpanLedger,
  random: SeededRandom,
): Promise<readonly Refusal[]> {
  const server = runMeshwatch({ args: ['serve', '--data-dir', dataDir], environment: JOURNAL })
  let senders: SpanSenders | null = null
  try {
    if (moment === 'start-up') {
      await Promise.race([delay(random.below(1500)), server.event('ready')])
      return []
    }
    const ready = await server.event('ready')
    senders = startSenders({
      url: String(ready['otlpHttp']),
      ledger,
      connections: 4,
      spansPerMessage: SPANS_PER_MESSAGE,
      pauseMs: 2,
      daysBack: 2,
    })
    senders.phase = phase
    await waitForMoment(moment, server, random)
    if (moment !== 'asked to stop') return senders.refusals
    server.child.kill('SIGTERM')
    expect(await server.exit).toBe(0)
    return senders.refusals
  } finally {
    server.child.kill('SIGKILL')
    await server.exit
    await senders?.stop()
  }
}

async function waitForMoment(
  moment: (typeof MOMENTS)[number],
  server: MeshwatchProcess,
  random: SeededRandom,
): Promise<void> {
  if (moment === 'first acknowledgement') return delay(random.below(20))
  if (moment === 'any time' || moment === 'asked to stop') return delay(random.below(2000))
  // A load writes its range into the checkpoint before its first insert.
  const loads = new Set<string>()
  const wanted = moment === 'load' ? 1 : 2
  await waitUntil('a load begins', () => {
    if (server.child.exitCode !== null) throw new Error(`The server ended: ${server.stderr()}`)
    const loading = readLoading()
    if (loading !== null) loads.add(loading)
    return loads.size >= wanted
  })
  await delay(random.below(120))
}

/** Where the load under way ends; null when there is none. */
function readLoading(): string | null {
  const text = readFileSync(join(dataDir, 'journal', 'checkpoint'), 'utf8')
  const slots = [...text.matchAll(/"sequence":(\d+).*"loading":(null|\{[^}]*\})/g)]
  const newest = slots.sort((a, b) => Number(b[1]) - Number(a[1]))[0]?.[2]
  return newest === undefined || newest === 'null' ? null : newest
}

/** What a write that was cut short leaves: the head of a record that is longer than the file. */
function tearNewestSegment(): void {
  const journal = join(dataDir, 'journal')
  const newest = readdirSync(journal)
    .filter((name) => name.endsWith('.wal'))
    .sort()
    .at(-1)
  const head = Buffer.alloc(500, 0xa5)
  head.writeUInt32LE(0x524a574d, 0)
  head.writeUInt32LE(100_000, 4)
  appendFileSync(join(journal, newest ?? ''), head)
}
