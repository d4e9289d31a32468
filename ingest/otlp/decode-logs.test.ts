import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeAttribute, decodeAttributes } from '../../model/any-value.ts'
import { decodeInto, decodeMessageRows, readBlocks, storeMessage } from '../../test/support/decode-message.ts'
import { EVERY_ATTRIBUTE } from '../../test/support/every-attribute.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { encodeRequest, type OtlpJson } from '../../test/support/otlp-messages.ts'
import { text } from '../../test/support/stored-attributes.ts'
import { createTelemetryBlocks } from './telemetry-blocks.ts'

type Pairs = readonly (readonly [string, string])[]

const NOW = Date.UTC(2026, 0, 2, 4)
const DAY = 86_400_000
const TIME = BigInt(NOW) * 1_000_000n + 123_456_789n
const TRACE_ID = '0102030405060708090a0b0c0d0e0f10'
const SPAN_ID = 'f0e1d2c3b4a59687'

function logs(records: readonly OtlpJson[], resource: OtlpJson = {}, scope: OtlpJson = {}): Uint8Array {
  return encodeRequest('logs', { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: records }] }] })
}

function record(fields: OtlpJson = {}): OtlpJson {
  return { timeUnixNano: String(TIME), body: { stringValue: 'out of stock' }, ...fields }
}

function decodeOne(sent: OtlpJson) {
  const { outcome, tables } = decodeMessageRows('logs', logs([sent]), { now: NOW })
  return { outcome, row: tables['logs']?.[0] ?? {} }
}

describe('log records in ClickHouse', () => {
  let deps: OpenQueryDeps
  beforeAll(async () => {
    deps = await openQueryDeps()
  })
  afterAll(() => deps.close())

  function rows(tenant: string, sql: string): Promise<Record<string, unknown>[]> {
    return deps.storage.select<Record<string, unknown>>({ name: 'test', tenant, sql })
  }

  test('a record with every field comes back as it was sent', async () => {
    const sent = record({
      observedTimeUnixNano: '18446744073709551615',
      severityNumber: 17,
      severityText: 'Error ☕',
      attributes: EVERY_ATTRIBUTE,
      droppedAttributesCount: 4_000_000_000,
      flags: 0xffffffff,
      traceId: TRACE_ID,
      spanId: SPAN_ID,
      eventName: 'mesh.outlier.ejected',
    })
    const message = logs([sent], { attributes: [text('service.name', 'cart')] }, { name: 'logger' })
    const outcome = await storeMessage(deps.storage, 'logs', message, { now: NOW, tenant: 'every' })
    expect(outcome).toMatchObject({ accepted: 1, rejected: 0 })
    const [row = {}] = await rows(
      'every',
      `SELECT toString(toUnixTimestamp64Nano(l.ts)) AS ts, toString(time_unix_nano) AS time_unix_nano,
        toString(observed_time_unix_nano) AS observed, lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id,
        flags, severity_number, severity_text, l.service AS service, o.service AS origin_service, scope_name, event_name, body,
        body_kind, CAST(attrs, 'Array(Tuple(String, String))') AS pairs, attr_kinds, dropped_attributes
      FROM logs AS l JOIN origins AS o ON o.id = l.origin AND o.tenant = l.tenant WHERE l.tenant = {tenant:String}`,
    )
    const { pairs, attr_kinds, ...plain } = row
    expect(plain).toEqual({
      ts: String(TIME),
      time_unix_nano: String(TIME),
      observed: '18446744073709551615',
      trace_id: TRACE_ID,
      span_id: SPAN_ID,
      flags: 0xffffffff,
      severity_number: 17,
      severity_text: 'Error ☕',
      service: 'cart',
      origin_service: 'cart',
      scope_name: 'logger',
      event_name: 'mesh.outlier.ejected',
      body: 'out of stock',
      body_kind: 's',
      dropped_attributes: 4_000_000_000,
    })
    expect(decodeAttributes(pairs as Pairs, String(attr_kinds))).toStrictEqual(EVERY_ATTRIBUTE)
  })

  test('bodies of every kind keep their type', async () => {
    const bodies = EVERY_ATTRIBUTE.map(({ value }) => value)
    const records = bodies.map((body, index) => record({ body, flags: index }))
    await storeMessage(deps.storage, 'logs', logs(records), { now: NOW, tenant: 'bodies' })
    const stored = await rows(
      'bodies',
      'SELECT body, body_kind FROM logs WHERE tenant = {tenant:String} ORDER BY flags',
    )
    expect(
      stored.map(({ body, body_kind }) => decodeAttribute(String(body_kind), String(body))),
    ).toStrictEqual(bodies)
  })

  test('attribute keys are told at the level of logs', async () => {
    const attributes = [text('k', 'v'), { key: 'k', value: { intValue: '1' } }, text('event.name', 'e')]
    await storeMessage(deps.storage, 'logs', logs([record({ attributes })]), { now: NOW, tenant: 'keys' })
    expect(
      await rows(
        'keys',
        'SELECT level, key, kind FROM attribute_keys WHERE tenant = {tenant:String} ORDER BY key',
      ),
    ).toEqual([
      { level: 'log', key: 'event.name', kind: 's' },
      { level: 'log', key: 'k', kind: 'i' },
    ])
  })
})

describe('the time of a record', () => {
  const received = BigInt(NOW) * 1_000_000n
  test.each<[string, OtlpJson, bigint]>([
    ['is its own', { observedTimeUnixNano: String(TIME + 5n) }, TIME],
    [
      'else the one it was observed at',
      { timeUnixNano: '0', observedTimeUnixNano: String(TIME + 5n) },
      TIME + 5n,
    ],
    ['else the one it was received at', { timeUnixNano: '0' }, received],
  ])('%s', (_name, fields, expected) => {
    const { row } = decodeOne(record(fields))
    expect(row).toMatchObject({
      ts: expected,
      time_unix_nano: BigInt(String(record(fields)['timeUnixNano'])),
      observed_time_unix_nano: BigInt(String(fields['observedTimeUnixNano'] ?? 0)),
    })
  })
})

describe('what is refused, with its neighbours kept', () => {
  const deep = (depth: number): OtlpJson => (depth === 0 ? {} : { arrayValue: { values: [deep(depth - 1)] } })
  const nanos = (ms: number) => String(BigInt(ms) * 1_000_000n)
  test.each<[string, OtlpJson, string]>([
    ['a time before retention', { timeUnixNano: nanos(NOW - DAY - 1) }, 'too_old'],
    ['a time in the future', { timeUnixNano: nanos(NOW + DAY + 1) }, 'in_future'],
    // It would decide the partition.
    ['a wild observed time and no other', { timeUnixNano: '0', observedTimeUnixNano: '1' }, 'too_old'],
    ['a body nested too deeply', { body: deep(33) }, 'too_deep'],
    ['an attribute nested too deeply', { attributes: [{ key: 'a', value: deep(33) }] }, 'too_deep'],
  ])('%s', (_name, fields, reason) => {
    const sent = logs([record({ flags: 1 }), record(fields), record({ flags: 2 })])
    const { outcome, tables } = decodeMessageRows('logs', sent, { now: NOW })
    expect(outcome).toMatchObject({ accepted: 2, rejected: 1 })
    expect([...outcome.reasons]).toEqual([[reason, 1]])
    expect(tables['logs']?.map((row) => row['flags'])).toEqual([1, 2])
  })

  test('not: a body of 32 levels', () => {
    expect(decodeOne(record({ body: deep(32) })).outcome.accepted).toBe(1)
  })
})

describe('what is kept although it is odd', () => {
  test.each([
    ['empty', { traceId: '', spanId: '' }],
    ['too short or too long', { traceId: '01', spanId: '01'.repeat(9) }],
  ])('ids that are %s are zero', (_name, fields) => {
    const { row } = decodeOne(record(fields))
    expect(row).toMatchObject({ trace_id: '00'.repeat(16), span_id: '00'.repeat(8) })
  })

  test('a severity we do not know is none', () => {
    expect(decodeOne(record({ severityNumber: 25 })).row['severity_number']).toBe(0)
    expect(decodeOne(record({ severityNumber: 24 })).row['severity_number']).toBe(24)
    expect(decodeOne(record({ severityNumber: -1 })).row['severity_number']).toBe(0)
  })

  test('no body', () => {
    const { body: _body, ...sent } = record()
    expect(decodeOne(sent).row).toMatchObject({ body: '', body_kind: 'e' })
  })

  test('the last value of a repeated key', () => {
    const attributes = [text('a', '1'), text('b', '2'), text('a', '3')]
    expect(decodeOne(record({ attributes })).row['attrs']).toEqual([
      ['b', '2'],
      ['a', '3'],
    ])
  })
})

describe('the name of an event', () => {
  test.each<[string, OtlpJson, string]>([
    ['is the field', { eventName: 'field', attributes: [text('event.name', 'attribute')] }, 'field'],
    [
      'else the attribute',
      { eventName: '', attributes: [text('a', 'b'), text('event.name', 'attribute')] },
      'attribute',
    ],
    ['unless that is no text', { attributes: [{ key: 'event.name', value: { intValue: '1' } }] }, ''],
    ['and else empty', {}, ''],
  ])('%s', (_name, fields, expected) => {
    expect(decodeOne(record(fields)).row['event_name']).toBe(expected)
  })
})

test('a malformed message leaves nothing behind, and what follows is whole', () => {
  const blocks = createTelemetryBlocks({ maxAttributes: 128 })
  const resource = { attributes: [text('service.name', 'cart')] }
  const good = logs(
    [record({ attributes: EVERY_ATTRIBUTE, eventName: 'e', body: { intValue: '7' } })],
    resource,
  )
  decodeInto(blocks, 'logs', logs([record()]), { now: NOW })
  const before = readBlocks(blocks)
  const broken = Buffer.concat([good, Buffer.from([0x0a, 0x05])])
  expect(() => decodeInto(blocks, 'logs', broken, { now: NOW })).toThrow(/Cannot decode the protobuf message/)
  expect(readBlocks(blocks)).toEqual(before)
  decodeInto(blocks, 'logs', good, { now: NOW })
  const after = readBlocks(blocks)
  const alone = decodeMessageRows('logs', good, { now: NOW }).tables
  expect(after['logs']?.slice(1)).toEqual(alone['logs'])
  expect(after['origins']?.slice(1)).toEqual(alone['origins'])
  expect(after['attribute_keys']).toEqual(alone['attribute_keys'])
})

test('the letters and names hold after the interners start anew', () => {
  const blocks = createTelemetryBlocks({ maxAttributes: 128 })
  const sent = logs([record({ attributes: [text('event.name', 'again')], body: { boolValue: true } })])
  const expected = { event_name: 'again', body: 'true', body_kind: 'b', service: 'unknown_service' }
  decodeInto(blocks, 'logs', sent, { now: NOW })
  expect(readBlocks(blocks)['logs']?.[0]).toMatchObject(expected)
  const many = Array.from({ length: 200_001 }, (_, index) => record({ eventName: `event ${index}` }))
  decodeInto(blocks, 'logs', logs(many), { now: NOW })
  blocks.reset(true)
  decodeInto(blocks, 'logs', sent, { now: NOW })
  const after = readBlocks(blocks)
  expect(after['logs']?.[0]).toMatchObject(expected)
  // The origin was written in the batch before.
  expect(after['origins']).toBeUndefined()
})
