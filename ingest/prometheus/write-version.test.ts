import { expect, test } from 'vitest'
import { writeVersionOf } from './write-version.ts'

test.each<[string | undefined, string | undefined, number]>([
  [undefined, undefined, 1],
  ['application/x-protobuf', 'snappy', 1],
  ['application/x-protobuf', '', 1],
  ['application/x-protobuf;proto=prometheus.WriteRequest', 'Snappy', 1],
  ['application/x-protobuf;proto=io.prometheus.write.v2.Request', 'snappy', 2],
  ['Application/X-Protobuf; charset=utf-8; Proto="io.prometheus.write.v2.Request"', ' snappy ', 2],
])('%s, %s: version %s', (type, encoding, version) => {
  expect(writeVersionOf(type, encoding)).toBe(version)
})

test.each<[string | undefined, string | undefined, string]>([
  ['application/json', 'snappy', 'Content-Type "application/json"'],
  ['', 'snappy', 'Content-Type ""'],
  ['application/x-protobuf;proto=io.prometheus.write.v3.Request', 'snappy', 'Content-Type'],
  ['application/x-protobuf;proto=', 'snappy', 'Content-Type'],
  ['application/x-protobuf', 'gzip', 'Content-Encoding "gzip": expected snappy'],
  ['application/x-protobuf', 'snappy, gzip', 'Content-Encoding'],
])('%s, %s is not understood', (type, encoding, text) => {
  expect(() => writeVersionOf(type, encoding)).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED_MEDIA_TYPE', message: expect.stringContaining(text) }),
  )
})
