import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { encodeWriteRequest } from '../test/support/encode-write-request.ts'
import { encodeRequest, type OtlpJson } from '../test/support/otlp-messages.ts'
import { text } from '../test/support/stored-attributes.ts'
import { createExportSink } from './create-export-sink.ts'
import { createRefusals } from './create-refusals.ts'
import { createTelemetryBlocks } from './otlp/telemetry-blocks.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const HOUR = 3_600_000

function logs(times: readonly number[]): Uint8Array {
  const logRecords: OtlpJson[] = times.map((ms) => ({ timeUnixNano: String(BigInt(ms) * 1_000_000n) }))
  return encodeRequest('logs', {
    resourceLogs: [{ resource: { attributes: [text('service.name', 'cart')] }, scopeLogs: [{ logRecords }] }],
  })
}

/** A sink whose commits succeed, or fail with `failure`. */
function openSink(options: { journalBytes?: number; failure?: Error; maxGatheredRows?: number } = {}) {
  const blocks = createTelemetryBlocks({ maxAttributes: 128 })
  const registry = new Registry()
  const committed: number[] = []
  const sink = createExportSink({
    blocks,
    commit: {
      commit: async () => {
        if (options.failure !== undefined) throw options.failure
        committed.push(blocks.rows())
      },
      pendingBytes: () => 0,
      close: async () => undefined,
    },
    clock: { now: () => NOW, monotonic: () => 0 },
    registry,
    refusals: createRefusals(registry),
    maxAgeMs: { traces: HOUR, metrics: HOUR, logs: HOUR },
    maxFutureMs: HOUR / 6,
    journalBytes: () => options.journalBytes ?? 0,
    maxJournalBytes: 100,
    ...(options.maxGatheredRows === undefined ? {} : { maxGatheredRows: options.maxGatheredRows }),
  })
  const counts = async (name: string) =>
    (await registry.getMetricsAsJSON())
      .find((metric) => metric.name === name)
      ?.values.map(({ labels, value }) => ({ ...labels, value }))
  return { sink, blocks, committed, counts }
}

describe('the sink', () => {
  test('takes the good, counts the bad and says why', async () => {
    const { sink, committed, counts } = openSink()
    const answer = await sink.accept('logs', 'default', logs([NOW, NOW - HOUR - 1, NOW + HOUR, NOW]))
    expect(answer).toEqual({
      rejected: 2,
      message:
        'Cannot take 2 log records: 1 of them: its time is before the retention; 1 of them: its time is too far in the future',
    })
    // Two records, their origin and its key.
    expect(committed).toEqual([4])
    expect(await counts('meshwatch_ingest_accepted_total')).toEqual([{ signal: 'logs', value: 2 }])
    expect(await counts('meshwatch_ingest_refused_total')).toEqual([
      { signal: 'logs', reason: 'too_old', value: 1 },
      { signal: 'logs', reason: 'in_future', value: 1 },
    ])
  })

  test('keeps nothing of a message of which nothing is taken', async () => {
    const { sink, blocks, committed } = openSink()
    for (const times of [[1], []]) {
      await sink.accept('logs', 'default', logs(times))
      expect(blocks.rows()).toBe(0)
    }
    expect(committed).toEqual([])
    await sink.accept('logs', 'default', logs([NOW]))
    expect(committed).toEqual([3])
  })

  test('keeps nothing of a malformed message', async () => {
    const { sink, blocks, counts } = openSink()
    const broken = Buffer.concat([logs([NOW]), Buffer.from([0x0a, 0x05])])
    await expect(sink.accept('logs', 'default', broken)).rejects.toMatchObject({ code: 'MALFORMED_MESSAGE' })
    expect(blocks.rows()).toBe(0)
    expect(await counts('meshwatch_ingest_refused_total')).toEqual([
      { signal: 'logs', reason: 'malformed', value: 1 },
    ])
  })

  test('takes nothing while too many rows wait, and goes on when they are written', async () => {
    const { sink, blocks, counts } = openSink({ maxGatheredRows: 5 })
    await sink.accept('logs', 'default', logs([NOW, NOW]))
    await sink.accept('logs', 'default', logs([NOW]))
    await expect(sink.accept('logs', 'default', logs([NOW]))).rejects.toMatchObject({
      code: 'OVERLOADED',
      isRetryable: true,
    })
    expect(blocks.rows()).toBe(5)
    expect(await counts('meshwatch_ingest_refused_total')).toEqual([
      { signal: 'logs', reason: 'overloaded', value: 1 },
    ])
    blocks.reset(true)
    await sink.accept('logs', 'default', logs([NOW]))
    expect(blocks.rows()).toBe(1)
  })

  test('takes nothing while the journal is full', async () => {
    const { sink, blocks, counts } = openSink({ journalBytes: 100 })
    await expect(sink.accept('logs', 'default', logs([NOW]))).rejects.toMatchObject({ code: 'JOURNAL_FULL' })
    expect(blocks.rows()).toBe(0)
    expect(await counts('meshwatch_ingest_refused_total')).toEqual([
      { signal: 'logs', reason: 'journal_full', value: 1 },
    ])
  })

  test('acknowledges nothing that the journal did not take', async () => {
    const { sink, counts } = openSink({ failure: new Error('disk full') })
    await expect(sink.accept('logs', 'default', logs([NOW, NOW]))).rejects.toThrow('disk full')
    expect(await counts('meshwatch_ingest_accepted_total')).toEqual([])
    expect(await counts('meshwatch_ingest_refused_total')).toEqual([
      { signal: 'logs', reason: 'journal_unwritable', value: 2 },
    ])
  })

  test('counts metadata that the journal did not take', async () => {
    const { sink, counts } = openSink({ failure: new Error('disk full') })
    const metadata = { type: 'counter', help: 'h', unit: '' } as const
    const message = encodeWriteRequest([{ labels: ['__name__', 'a_total'], samples: [], metadata }], 1)
    await expect(sink.acceptWrite(1, 'default', message)).rejects.toThrow('disk full')
    expect(await counts('meshwatch_ingest_refused_total')).toEqual([
      { signal: 'metrics', reason: 'journal_unwritable', value: 1 },
    ])
  })
})
