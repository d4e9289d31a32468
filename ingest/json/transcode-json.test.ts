import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../runtime/errors.ts'
import {
  decodeMessage,
  encodeRequest,
  exportRequests,
  type OtlpJson,
} from '../../test/support/otlp-messages.ts'
import type { Signal } from '../export-sink.ts'
import { REQUEST_MESSAGES } from './otlp-schema.ts'
import { MAX_JSON_DEPTH } from './parse-json.ts'
import { transcodeJson } from './transcode-json.ts'

const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs']

function transcode(signal: Signal, text: string): OtlpJson {
  return decodeMessage(REQUEST_MESSAGES[signal], transcodeJson(signal, Buffer.from(text)))
}

function span(fields: string): unknown {
  const request = transcode('traces', `{"resourceSpans":[{"scopeSpans":[{"spans":[{${fields}}]}]}]}`)
  return firstOf(request, 'resourceSpans', 'scopeSpans', 'spans')
}

function firstOf(value: unknown, ...keys: string[]): unknown {
  return keys.reduce<unknown>((inner, key) => ((inner as OtlpJson)[key] as unknown[])[0], value)
}

function attribute(value: string): unknown {
  return ((span(`"attributes":[{"key":"k","value":${value}}]`) as OtlpJson)['attributes'] as OtlpJson[])[0]?.[
    'value'
  ]
}

function refusal(signal: Signal, text: string | Uint8Array): string {
  try {
    transcodeJson(signal, Buffer.from(text as string))
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    expect((error as AppError).code).toBe('MALFORMED_MESSAGE')
    return (error as AppError).message.replace('Cannot read the OTLP/JSON message: ', '')
  }
  return 'accepted'
}

describe('a JSON request becomes the protobuf of the same message', () => {
  test.each(SIGNALS)('%s: what protobufjs reads back is what was sent', (signal) => {
    fc.assert(
      fc.property(exportRequests(signal, { hasBadIds: true }), (request) => {
        const ours = transcodeJson(signal, Buffer.from(JSON.stringify(request)))
        const theirs = encodeRequest(signal, request)
        const name = REQUEST_MESSAGES[signal]
        expect(decodeMessage(name, ours)).toEqual(decodeMessage(name, theirs))
        expect(ours.length).toBe(theirs.length)
      }),
      { numRuns: 150 },
    )
  })

  test('an empty request is an empty message', () => {
    expect(transcodeJson('logs', Buffer.from('{}')).length).toBe(0)
  })
})

describe('numbers', () => {
  test.each([
    ['{"intValue":9007199254740993}', { intValue: '9007199254740993' }],
    ['{"intValue":-9223372036854775808}', { intValue: '-9223372036854775808' }],
    ['{"intValue":"9223372036854775807"}', { intValue: '9223372036854775807' }],
    ['{"intValue":1.5e3}', { intValue: '1500' }],
    ['{"intValue":9.223372036854775807e18}', { intValue: '9223372036854775807' }],
    ['{"intValue":12.0}', { intValue: '12' }],
    ['{"intValue":1.5e300}', { doubleValue: 1.5e300 }],
    ['{"intValue":9223372036854775808}', { doubleValue: 2 ** 63 }],
    ['{"intValue":-9223372036854775809}', { doubleValue: -(2 ** 63) }],
    ['{"doubleValue":"NaN"}', { doubleValue: 'NaN' }],
    ['{"doubleValue":"-Infinity"}', { doubleValue: '-Infinity' }],
    ['{"doubleValue":0.1}', { doubleValue: 0.1 }],
    ['{"doubleValue":"1.25e-3"}', { doubleValue: 0.00125 }],
    ['{"doubleValue":12345678901234567890}', { doubleValue: 12345678901234567000 }],
  ])('%s', (json, expected) => {
    expect(attribute(json)).toEqual(expected)
  })

  test('bare nanoseconds keep every digit', () => {
    expect(span('"startTimeUnixNano":1767322800000000001,"endTimeUnixNano": 18446744073709551615')).toEqual({
      startTimeUnixNano: '1767322800000000001',
      endTimeUnixNano: '18446744073709551615',
    })
  })

  test.each([
    ['"startTimeUnixNano":-1', 'startTimeUnixNano: expected an unsigned 64-bit integer, got -1'],
    ['"startTimeUnixNano":1.5', 'startTimeUnixNano: expected an unsigned 64-bit integer, got 1.5'],
    [
      '"startTimeUnixNano":18446744073709551616',
      'startTimeUnixNano: expected an unsigned 64-bit integer, got 18446744073709551616',
    ],
    ['"startTimeUnixNano":"soon"', 'startTimeUnixNano: expected an unsigned 64-bit integer, got "soon"'],
    ['"flags":4294967296', 'flags: expected an unsigned 32-bit integer, got 4294967296'],
    ['"kind":"SERVER"', 'kind: expected an integer or the name of a value, got "SERVER"'],
    ['"name":7', 'name: expected a string, got 7'],
    ['"name":["x"]', 'name: expected a string, got an array'],
    ['"events":{}', 'events: expected an array, got an object'],
    ['"status":true', 'status: expected an object, got true'],
    [
      '"attributes":[{"key":"a","value":{"boolValue":"true"}}]',
      'attributes[0].value.boolValue: expected true or false, got "true"',
    ],
    [
      '"attributes":[{},{"value":{"bytesValue":"*"}}]',
      'attributes[1].value.bytesValue: expected bytes in base64, got "*"',
    ],
    [
      '"attributes":[{"value":{"doubleValue":1e999}}]',
      'attributes[0].value.doubleValue: expected a number, "NaN", "Infinity" or "-Infinity", got Infinity',
    ],
  ])('%s is refused with its path', (fields, message) => {
    const text = `{"resourceSpans":[{},{"scopeSpans":[{"spans":[{${fields}}]}]}]}`
    expect(refusal('traces', text)).toBe(`resourceSpans[1].scopeSpans[0].spans[0].${message}`)
  })
})

describe('names, ids, bytes and nulls', () => {
  test('ids are hex of either case', () => {
    expect(span('"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174"')).toEqual({
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
    })
  })

  test.each([
    ['5b8e', '5b8e'],
    ['not hexadecimal!', 'ff'],
    ['5b8', 'ff'],
    ['W47/95gDgQPSabYzgT/GDA==', 'ff'],
    ['', ''],
  ])('an id %j of another form is passed on for the decoder to reject', (sent, got) => {
    expect(span(`"traceId":"${sent}"`)).toEqual({ traceId: got })
  })

  test.each(['AP8Q', 'AP-_', 'AP+/', 'AA', 'AA=='])('bytes in base64 %s', (text) => {
    const standard = Buffer.from(text, 'base64url').toString('base64')
    expect(attribute(`{"bytesValue":"${text}"}`)).toEqual({ bytesValue: standard })
  })

  test('unknown names are ignored, snake case among them, and so is __proto__', () => {
    expect(
      span('"name":"a","trace_state":"x","future":{"deep":[1]},"__proto__":{"kind":3},"constructor":1'),
    ).toEqual({ name: 'a' })
    expect(({} as OtlpJson)['kind']).toBeUndefined()
  })

  test('null is absent; a null among messages is an empty message', () => {
    expect(span('"name":null,"kind":2,"attributes":null')).toEqual({ kind: 2 })
    expect(attribute('{"arrayValue":{"values":[null,{"intValue":null},{"stringValue":""}]}}')).toEqual({
      arrayValue: { values: [{}, {}, { stringValue: '' }] },
    })
  })

  test('names of enum values are understood', () => {
    expect(span('"kind":"SPAN_KIND_CLIENT","status":{"code":"STATUS_CODE_ERROR"}')).toEqual({
      kind: 3,
      status: { code: 2 },
    })
  })

  test('a byte order mark is skipped, invalid UTF-8 reads as U+FFFD', () => {
    const bytes = Buffer.concat([
      Buffer.from([0xef, 0xbb, 0xbf]),
      Buffer.from('{"resourceSpans":[{"schemaUrl":"a'),
      Buffer.from([0xff]),
      Buffer.from('\\ud800"}]}'),
    ])
    const request = decodeMessage('ExportTraceServiceRequest', transcodeJson('traces', bytes))
    expect(firstOf(request, 'resourceSpans')).toEqual({ schemaUrl: 'a\ufffd\ufffd' })
  })
})

describe('hostile text', () => {
  const nested = (depth: number): string => `{"future":${'['.repeat(depth)}${']'.repeat(depth)}}`

  test('nesting is bounded, also with numbers that need their digits kept', () => {
    expect(refusal('traces', nested(MAX_JSON_DEPTH - 1))).toBe('accepted')
    expect(refusal('traces', nested(MAX_JSON_DEPTH))).toBe(
      `it is nested deeper than ${MAX_JSON_DEPTH} levels`,
    )
    expect(refusal('traces', '['.repeat(5_000_000))).toContain('nested deeper')
    expect(
      refusal('traces', `{"a":12345678901234567890,"b":${'['.repeat(1e5)}${']'.repeat(1e5)}}`),
    ).toContain('nested deeper')
  })

  test('objects that would take many times the size of their text are refused', () => {
    const list = (unit: string, count: number) => `{"future":[${`${unit},`.repeat(count)}0]}`
    expect(refusal('traces', list('{}', 99_000))).toBe('accepted')
    expect(refusal('traces', list('{}', 100_000))).toMatch(/^it has more than 100000 objects and lists/)
    expect(refusal('traces', list('{"intValue":1}', 1_000_000))).toBe('accepted')
    expect(refusal('traces', list('"{[{[{["', 1_000_000))).toBe('accepted')
  })

  test('brackets inside strings are not nesting', () => {
    const text = JSON.stringify({ resourceSpans: [{ schemaUrl: `\\"${'['.repeat(1000)}"` }] })
    expect(refusal('traces', text)).toBe('accepted')
  })

  test.each(['', 'null', '[]', '"x"', '{"resourceSpans":', '{} x', '\0'])('%j is refused', (text) => {
    expect(refusal('traces', text)).not.toBe('accepted')
  })

  test('cut or changed anywhere, it is read or refused, never worse', () => {
    fc.assert(
      fc.property(
        exportRequests('metrics'),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (request, where, byte, isCut) => {
          const bytes = Buffer.from(JSON.stringify(request))
          bytes[where % bytes.length] = byte
          const sent = isCut ? bytes.subarray(0, where % bytes.length) : bytes
          expect(typeof refusal('metrics', sent)).toBe('string')
        },
      ),
      { numRuns: 300 },
    )
  })
})
