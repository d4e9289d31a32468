import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Signal } from '../ingest/export-sink.ts'
import { transcodeJson } from '../ingest/json/transcode-json.ts'
import { createTelemetryBlocks } from '../ingest/otlp/telemetry-blocks.ts'
import { AppError } from '../runtime/errors.ts'
import { type DecodedMessage, decodeInto, decodeMessageRows, readBlocks } from './support/decode-message.ts'
import { encodeRequest, exportRequests } from './support/otlp-messages.ts'
import type { NativeRow } from './support/read-native.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs']

/** Counts and rows; those of tables that are told once, in any order. */
function comparable({ outcome, tables }: DecodedMessage): unknown {
  const { accepted, rejected, reasons } = outcome
  const sorted = Object.entries(tables).map(([table, rows]) => [table, isTold(table) ? sortRows(rows) : rows])
  return { accepted, rejected, reasons: Object.fromEntries(reasons), tables: Object.fromEntries(sorted) }
}

function isTold(table: string): boolean {
  return table === 'attribute_keys'
}

function sortRows(rows: readonly NativeRow[]): string[] {
  return rows
    .map((row) => JSON.stringify(row, (_key, value) => (typeof value === 'bigint' ? `${value}` : value)))
    .sort()
}

describe.each(SIGNALS)('%s', (signal) => {
  const requests = exportRequests(signal, { hasBadIds: true })

  test('the same message as protobuf and as JSON gives the same rows', () => {
    let accepted = 0
    fc.assert(
      fc.property(requests, (request) => {
        const protobuf = decodeMessageRows(signal, encodeRequest(signal, request), { now: NOW })
        const json = transcodeJson(signal, Buffer.from(JSON.stringify(request)))
        expect(comparable(decodeMessageRows(signal, json, { now: NOW }))).toEqual(comparable(protobuf))
        accepted += protobuf.outcome.accepted
      }),
      { numRuns: 200 },
    )
    // Otherwise nothing was compared.
    expect(accepted).toBeGreaterThan(100)
  })

  test('a mutated message is taken in part or refused as malformed, and leaves the neighbours alone', () => {
    const blocks = createTelemetryBlocks({ maxAttributes: 128 })
    let refused = 0
    fc.assert(
      fc.property(
        requests,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat(), { freq: 4 }),
        (request, changes, cut) => {
          blocks.reset(true)
          const good = encodeRequest(signal, request)
          const before = decodeInto(blocks, signal, good, { now: NOW })
          const rows = blocks.blocks.map((block) => block.rows())
          const bad = Buffer.from(good)
          for (const [where, byte] of changes) if (bad.length > 0) bad[where % bad.length] = byte
          const sent = cut === null ? bad : bad.subarray(0, cut % (bad.length + 1))
          try {
            decodeInto(blocks, signal, sent, { now: NOW })
          } catch (error) {
            expect(error).toBeInstanceOf(AppError)
            expect((error as AppError).code).toBe('MALFORMED_MESSAGE')
            expect(blocks.blocks.map((block) => block.rows())).toEqual(rows)
            refused++
          }
          // Whatever came between, the blocks are whole and the message decodes as it did.
          readBlocks(blocks)
          expect(decodeInto(blocks, signal, good, { now: NOW }).accepted).toBe(before.accepted)
        },
      ),
      { numRuns: 300 },
    )
    expect(refused).toBeGreaterThan(10)
  })
})
