import { describe, expect, test } from 'vitest'
import { decodeInto, decodeMessageRows, readBlocks } from '../../test/support/decode-message.ts'
import { EVERY_ATTRIBUTE } from '../../test/support/every-attribute.ts'
import { encodeMessage, encodeRequest, type OtlpJson } from '../../test/support/otlp-messages.ts'
import { text } from '../../test/support/stored-attributes.ts'
import { createTelemetryBlocks } from './telemetry-blocks.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const START = BigInt(NOW) * 1_000_000n + 123_456_789n
const TRACE_ID = '0102030405060708090a0b0c0d0e0f10'
const SPAN_ID = 'f0e1d2c3b4a59687'

function traces(spans: readonly OtlpJson[], resource: OtlpJson = {}, scope: OtlpJson = {}): Uint8Array {
  return encodeRequest('traces', { resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] })
}

function span(fields: OtlpJson = {}): OtlpJson {
  return {
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    name: 'GET /cart',
    startTimeUnixNano: String(START),
    endTimeUnixNano: String(START + 1_000_000n),
    ...fields,
  }
}

describe('what is refused, with its neighbours kept', () => {
  const deep = (depth: number): OtlpJson => (depth === 0 ? {} : { arrayValue: { values: [deep(depth - 1)] } })
  const at = (ms: number) => span({ startTimeUnixNano: String(BigInt(ms) * 1_000_000n) })
  const DAY = 86_400_000
  test.each<[string, OtlpJson, string]>([
    ['a trace id that is too short', span({ traceId: '0102' }), 'trace_id'],
    ['a trace id of zeros', span({ traceId: '00'.repeat(16) }), 'trace_id'],
    ['no trace id', span({ traceId: '' }), 'trace_id'],
    ['a span id that is too long', span({ spanId: '010203040506070809' }), 'span_id'],
    ['a span id of zeros', span({ spanId: '00'.repeat(8) }), 'span_id'],
    ['a parent id that is too short', span({ parentSpanId: '01' }), 'parent_span_id'],
    ['no start time', span({ startTimeUnixNano: '0' }), 'no_time'],
    ['a start before retention', at(NOW - DAY - 1), 'too_old'],
    ['a start in the future', at(NOW + DAY + 1), 'in_future'],
    ['the greatest time there is', span({ startTimeUnixNano: '18446744073709551615' }), 'in_future'],
    ['an attribute nested too deeply', span({ attributes: [{ key: 'a', value: deep(33) }] }), 'too_deep'],
    [
      'an event nested too deeply',
      span({ events: [{ attributes: [{ key: 'a', value: deep(33) }] }] }),
      'too_deep',
    ],
    [
      'a link nested too deeply',
      span({ links: [{ attributes: [{ key: 'a', value: deep(33) }] }] }),
      'too_deep',
    ],
  ])('%s', (_name, bad, reason) => {
    const { outcome, tables } = decodeMessageRows(
      'traces',
      traces([span({ name: 'before' }), bad, span({ name: 'after' })]),
      { now: NOW },
    )
    expect(outcome).toMatchObject({ accepted: 2, rejected: 1 })
    expect([...outcome.reasons]).toEqual([[reason, 1]])
    expect(tables['spans']?.map((row) => row['name'])).toEqual(['before', 'after'])
  })

  test.each([
    ['the first moment of the window', at(NOW - DAY)],
    ['the last moment of the window', at(NOW + DAY)],
    ['32 levels', span({ attributes: [{ key: 'a', value: deep(32) }] })],
    ['an empty parent id', span({ parentSpanId: '' })],
  ])('not: %s', (_name, good) => {
    expect(decodeMessageRows('traces', traces([good]), { now: NOW }).outcome.accepted).toBe(1)
  })

  test('spans of a resource that is nested too deeply', () => {
    const bad = { attributes: [{ key: 'a', value: deep(33) }] }
    const message = encodeRequest('traces', {
      resourceSpans: [
        { resource: bad, scopeSpans: [{ spans: [span(), span()] }] },
        { scopeSpans: [{ spans: [span()] }] },
      ],
    })
    const { outcome, tables } = decodeMessageRows('traces', message, { now: NOW })
    expect(outcome).toMatchObject({ accepted: 1, rejected: 2 })
    expect(tables['origins']).toHaveLength(1)
  })
})

describe('what is kept although it is odd', () => {
  const decodeOne = (sent: OtlpJson, maxAttributes?: number) => {
    const options = maxAttributes === undefined ? { now: NOW } : { now: NOW, maxAttributes }
    const { outcome, tables } = decodeMessageRows('traces', traces([sent]), options)
    return { outcome, row: tables['spans']?.[0] ?? {} }
  }

  test('the last value of a repeated key, at its place', () => {
    const attributes = [text('a', '1'), text('b', '2'), text('a', '3'), text('c', '4'), text('a', '5')]
    expect(decodeOne(span({ attributes })).row['attrs']).toEqual([
      ['b', '2'],
      ['c', '4'],
      ['a', '5'],
    ])
  })

  test('attributes beyond the limit are counted', () => {
    const attributes = ['a', 'b', 'c', 'd', 'e'].map((key) => text(key, key))
    const { row, outcome } = decodeOne(span({ attributes, droppedAttributesCount: 10 }), 3)
    expect(row['attrs']).toEqual([
      ['a', 'a'],
      ['b', 'b'],
      ['c', 'c'],
    ])
    expect(row['dropped_attributes']).toBe(12)
    expect(outcome.message('spans')).toBe('2 attributes were left out: their spans have more than the limit')
  })

  test('a span that ends before it starts, and one that never ends', () => {
    expect(decodeOne(span({ endTimeUnixNano: String(START - 5_000_000_000n) })).row['duration_ns']).toBe(
      -5_000_000_000n,
    )
    expect(decodeOne(span({ endTimeUnixNano: '0' })).row['duration_ns']).toBe(0n)
    // The low half of the end is less than that of the start: the difference borrows.
    const start = (START & ~0xffff_ffffn) + 0xffff_fff0n
    const borrowed = span({ startTimeUnixNano: String(start), endTimeUnixNano: String(start + 0x20n) })
    expect(decodeOne(borrowed).row['duration_ns']).toBe(0x20n)
  })

  test('kinds and status codes we do not know', () => {
    const { row } = decodeOne(span({ kind: 77, status: { code: 9 } }))
    expect(row).toMatchObject({ kind: 0, status_code: 0 })
  })

  test('text that is not UTF-8, repaired', () => {
    const latin1 = Buffer.from([0x63, 0x61, 0x66, 0xe9])
    const replace = (bytes: Uint8Array) => {
      const copy = Buffer.from(bytes)
      for (let at = copy.indexOf('caf!'); at >= 0; at = copy.indexOf('caf!')) latin1.copy(copy, at)
      return copy
    }
    const sent = span({
      name: 'caf!',
      traceState: 'caf!',
      status: { message: 'caf!' },
      attributes: [
        text('caf!', 'caf!'),
        { key: 'list', value: { arrayValue: { values: [{ stringValue: 'caf!' }] } } },
      ],
      events: [{ name: 'caf!', timeUnixNano: '0' }],
    })
    const message = replace(traces([sent], { attributes: [text('service.name', 'caf!')] }))
    const { tables } = decodeMessageRows('traces', message, { now: NOW })
    expect(tables['spans']?.[0]).toMatchObject({
      name: 'caf\ufffd',
      trace_state: 'caf\ufffd',
      status_message: 'caf\ufffd',
      service: 'caf\ufffd',
      attrs: [
        ['caf\ufffd', 'caf\ufffd'],
        ['list', '{"arrayValue":{"values":[{"stringValue":"caf\ufffd"}]}}'],
      ],
      events: '[{"timeUnixNano":"0","name":"caf\ufffd"}]',
    })
  })

  test.each<[string, OtlpJson]>([
    ['no resource', {}],
    ['no service.name', { attributes: [text('k', 'v')] }],
    ['an empty service.name', { attributes: [text('service.name', '')] }],
    ['a service.name that is no string', { attributes: [{ key: 'service.name', value: { intValue: '7' } }] }],
  ])('%s: unknown_service', (_name, resource) => {
    const { tables } = decodeMessageRows('traces', traces([span()], resource), { now: NOW })
    expect(tables['spans']?.[0]?.['service']).toBe('unknown_service')
    expect(tables['origins']?.[0]?.['service']).toBe('unknown_service')
  })

  test('fields that are not in the protocol yet, groups among them', () => {
    const unknown = Buffer.from([
      0xf8, 0x7f, 0x01, 0xfb, 0x7f, 0x08, 0x01, 0xfc, 0x7f, 0xf5, 0x7f, 1, 2, 3, 4,
    ])
    const body = Buffer.concat([unknown, encodeMessage('Span', span()), unknown])
    const message = wrap(wrap(wrap(body, 2), 2), 1)
    const { outcome, tables } = decodeMessageRows('traces', message, { now: NOW })
    expect(outcome.accepted).toBe(1)
    expect(tables['spans']?.[0]?.['name']).toBe('GET /cart')
  })
})

describe('a malformed message', () => {
  test('leaves nothing behind, and what follows is whole', () => {
    const blocks = createTelemetryBlocks({ maxAttributes: 128 })
    const resource = { attributes: [text('service.name', 'cart'), text('new.key', 'x')] }
    const good = traces([span({ attributes: EVERY_ATTRIBUTE })], resource)
    const other = traces([span({ name: 'other' })], { attributes: [text('service.name', 'other')] })
    decodeInto(blocks, 'traces', other, { now: NOW })
    const before = readBlocks(blocks)
    // Cut inside the last span: the first ones have been appended by then.
    const bad = traces([span(), span(), span({ attributes: EVERY_ATTRIBUTE })], resource)
    const cut = Buffer.from(bad)
    cut[cut.length - 1] = 0xff
    const broken = Buffer.concat([cut, Buffer.from([0x0a, 0x05])])
    expect(() => decodeInto(blocks, 'traces', broken, { now: NOW })).toThrow(
      /Cannot decode the protobuf message/,
    )
    expect(readBlocks(blocks)).toEqual(before)

    decodeInto(blocks, 'traces', good, { now: NOW })
    const after = readBlocks(blocks)
    expect(after['spans']?.map((row) => row['service'])).toEqual(['other', 'cart'])
    const alone = decodeMessageRows('traces', good, { now: NOW }).tables
    // The origin and the keys are told again, since those of the malformed message were taken back.
    expect(after['origins']?.slice(1)).toEqual(alone['origins'])
    const told = (row: Record<string, unknown>) => row['key'] !== 'service.name'
    expect(after['attribute_keys']?.slice(before['attribute_keys']?.length)).toEqual(
      alone['attribute_keys']?.filter(told),
    )
    expect(after['spans']?.[1]).toEqual(alone['spans']?.[0])
  })

  test('says where it breaks', () => {
    const bytes = traces([span()])
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodeMessageRows('traces', bytes.subarray(0, length), { now: NOW })).toThrow(
        /^Cannot decode the protobuf message: .+ at byte \d+$/,
      )
    }
  })
})

/** `bytes` as a length-delimited field. */
function wrap(bytes: Buffer, field: number): Buffer {
  const size: number[] = []
  let rest = bytes.length
  for (; rest > 0x7f; rest >>>= 7) size.push((rest & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...size, rest]), bytes])
}
