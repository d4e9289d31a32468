import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { exportResponse, exportResponseJson, statusMessage, statusMessageJson } from './otlp-response.ts'

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Response { PartialSuccess partial_success = 1; }
  message PartialSuccess { int64 rejected = 1; string error_message = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
`)

function read(type: string, bytes: Uint8Array): unknown {
  const message = root.lookupType(type)
  return message.toObject(message.decode(bytes), { longs: Number })
}

describe('an export response', () => {
  test('is empty when everything was taken', () => {
    expect(exportResponse({ rejected: 0, message: '' }).length).toBe(0)
    expect(exportResponseJson('logs', { rejected: 0, message: '' }).toString()).toBe('{}')
  })

  test('tells what was rejected and why', () => {
    const message = `2 spans without a trace id, ${'über '.repeat(60)}`
    expect(read('Response', exportResponse({ rejected: 70_000, message }))).toEqual({
      partialSuccess: { rejected: 70_000, errorMessage: message },
    })
    expect(JSON.parse(exportResponseJson('metrics', { rejected: 2, message }).toString())).toEqual({
      partialSuccess: { rejectedDataPoints: '2', errorMessage: message },
    })
  })

  test('may warn without having rejected anything', () => {
    expect(read('Response', exportResponse({ rejected: 0, message: 'old' }))).toEqual({
      partialSuccess: { errorMessage: 'old' },
    })
  })
})

describe('a status', () => {
  test('carries code and message', () => {
    expect(read('Status', statusMessage({ code: 3, message: 'no' }))).toEqual({ code: 3, message: 'no' })
    expect(JSON.parse(statusMessageJson({ code: 3, message: 'no' }).toString())).toEqual({
      code: 3,
      message: 'no',
    })
  })

  test.each([
    [2500, { seconds: 2, nanos: 500_000_000 }, '2.5s'],
    [1000, { seconds: 1 }, '1s'],
    [20, { nanos: 20_000_000 }, '0.02s'],
  ])('says when to try again: %i ms', (retryAfterMs, retryDelay, text) => {
    const status = read('Status', statusMessage({ code: 14, message: 'full', retryAfterMs })) as {
      details: { typeUrl: string; value: Uint8Array }[]
    }
    expect(status.details.map(({ typeUrl }) => typeUrl)).toEqual(['type.googleapis.com/google.rpc.RetryInfo'])
    expect(read('RetryInfo', status.details[0]?.value ?? new Uint8Array())).toEqual({ retryDelay })
    const json = JSON.parse(statusMessageJson({ code: 14, message: 'full', retryAfterMs }).toString())
    expect(json.details[0].retryDelay).toBe(text)
  })
})
