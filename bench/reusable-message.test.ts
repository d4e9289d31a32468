import { expect, test } from 'vitest'
import { transcodeJson } from '../ingest/json/transcode-json.ts'
import { reusableMessage } from './reusable-message.ts'
import { requestIdOf, traceIdOf } from './span-ids.ts'

const NOW_MS = 1_795_171_231_607

test('both forms say the same, again and again', () => {
  const protobuf = reusableMessage({ spans: 16, seed: 3, form: 'protobuf' })
  const json = reusableMessage({ spans: 16, seed: 3, form: 'json' })
  for (const serial of [0, 1, 2, 3, 4_000_000_001]) {
    protobuf.renew(serial, NOW_MS + (serial % 7))
    json.renew(serial, NOW_MS + (serial % 7))
    expect(Buffer.from(transcodeJson('traces', json.bytes)).toString('hex')).toBe(
      protobuf.bytes.toString('hex'),
    )
  }
})

test('a message holds the ids that its number tells, and its hops share traces', () => {
  const message = reusableMessage({ spans: 16, seed: 5, form: 'protobuf' })
  for (const serial of [8, 11]) {
    message.renew(serial, NOW_MS)
    for (const pair of [0, 7]) {
      expect(message.bytes.includes(Buffer.from(traceIdOf(serial, pair), 'hex'))).toBe(true)
      expect(message.bytes.includes(requestIdOf(serial, pair))).toBe(true)
      expect(message.bytes.includes(Buffer.from(traceIdOf(serial + 4, pair), 'hex'))).toBe(false)
    }
  }
  expect(traceIdOf(8, 0)).toBe(traceIdOf(11, 0))
})
