import { describe, expect, test } from 'vitest'
import { decodeInto, readBlocks } from '../../test/support/decode-message.ts'
import { encodeRequest } from '../../test/support/otlp-messages.ts'
import { text } from '../../test/support/stored-attributes.ts'
import { createTelemetryBlocks } from './telemetry-blocks.ts'

const NOW = Date.UTC(2026, 0, 2, 4)

describe('an origin is told once', () => {
  const span = {
    traceId: '01'.repeat(16),
    spanId: '02'.repeat(8),
    startTimeUnixNano: String(BigInt(NOW) * 1_000_000n),
  }
  const message = encodeRequest('traces', {
    resourceSpans: [
      { resource: { attributes: [text('service.name', 'cart')] }, scopeSpans: [{ spans: [span] }] },
    ],
  })
  const count = (blocks: ReturnType<typeof createTelemetryBlocks>) =>
    readBlocks(blocks)['origins']?.length ?? 0

  test('a day and tenant', () => {
    const blocks = createTelemetryBlocks({ maxAttributes: 128 })
    for (const tenant of ['a', 'a', 'b', 'a']) decodeInto(blocks, 'traces', message, { now: NOW, tenant })
    expect(count(blocks)).toBe(2)
    decodeInto(blocks, 'traces', message, { now: NOW + 3_600_000 * 21, tenant: 'a' })
    expect(count(blocks)).toBe(3)
  })

  test('and again after its batch was lost, but not after it was written', () => {
    const blocks = createTelemetryBlocks({ maxAttributes: 128 })
    decodeInto(blocks, 'traces', message, { now: NOW })
    blocks.reset(true)
    decodeInto(blocks, 'traces', message, { now: NOW })
    expect(count(blocks)).toBe(0)
    blocks.reset(false)
    decodeInto(blocks, 'traces', message, { now: NOW })
    expect(count(blocks)).toBe(1)
  })

  test('and again after its message was malformed, while others are not', () => {
    const blocks = createTelemetryBlocks({ maxAttributes: 128 })
    const other = Buffer.from(message)
    other.write('cars', other.indexOf('cart'))
    decodeInto(blocks, 'traces', other, { now: NOW })
    const broken = Buffer.concat([message, Buffer.from([0x0a, 5])])
    expect(() => decodeInto(blocks, 'traces', broken, { now: NOW })).toThrow(/Cannot decode/)
    for (const sent of [message, other]) decodeInto(blocks, 'traces', sent, { now: NOW })
    const told = readBlocks(blocks)
    expect(told['origins']?.map((row) => row['service'])).toEqual(['cars', 'cart'])
    expect(told['attribute_keys']?.map((row) => row['key'])).toEqual(['service.name'])
  })
})
