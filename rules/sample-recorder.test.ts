import { describe, expect, test } from 'vitest'
import { labelsFrom } from '../model/labels.ts'
import { silentLogger } from '../runtime/logger.ts'
import { createSampleRecorder, type RecordedSample } from './sample-recorder.ts'

const LABELS = labelsFrom([['__name__', 'recorded']])

function sample(timestampMs: number): RecordedSample {
  return { labels: LABELS, timestampMs, value: 1, isStale: false }
}

describe('createSampleRecorder', () => {
  test('shows samples at once, writes them later, and what failed again under the same token', async () => {
    const written: { token: string; times: number[] }[] = []
    let isAway = true
    const recorder = createSampleRecorder({
      tenant: 't',
      logger: silentLogger(),
      onDropped: () => {},
      write: async (_tenant, samples, token) => {
        written.push({ token, times: samples.map(({ timestampMs }) => timestampMs) })
        if (isAway) throw new Error('away')
      },
    })
    recorder.record([sample(1)])
    const selection = { tenant: 't', matchers: [], fromMs: 0, toMs: 10 }
    expect(recorder.overlay.selectSeries(selection).map(({ labels }) => labels)).toEqual([LABELS])
    await recorder.flush()
    recorder.record([sample(2)])
    isAway = false
    await recorder.flush()
    await recorder.flush()
    expect(written.map(({ times }) => times)).toEqual([[1], [1], [2]])
    expect(written[1]?.token).toBe(written[0]?.token)
    expect(written[2]?.token).not.toBe(written[0]?.token)
  })

  test('is complete for what is recorded here only, as far back as it remembers', async () => {
    const recorder = createSampleRecorder({
      tenant: 't',
      logger: silentLogger(),
      onDropped: () => {},
      ownSince: (metric) => (metric === 'recorded' ? 1000 : null),
      write: async () => {},
    })
    const isComplete = (metric: string, fromMs: number, op: '=' | '=~' = '=') =>
      recorder.overlay.isComplete?.({
        tenant: 't',
        matchers: [{ name: '__name__', op, value: metric }],
        fromMs,
        toMs: fromMs + 1,
      })
    expect([isComplete('recorded', 1000), isComplete('recorded', 999), isComplete('other', 1000)]).toEqual([
      true,
      false,
      false,
    ])
    expect(isComplete('recorded', 1000, '=~')).toBe(false)
    recorder.record([sample(1_000_000)])
    expect(isComplete('recorded', 1000)).toBe(true)
    await recorder.flush()
    expect([isComplete('recorded', 1000), isComplete('recorded', 640_000)]).toEqual([false, true])
  })

  test('gives up the oldest when storage is away for long', async () => {
    let dropped = 0
    const recorder = createSampleRecorder({
      tenant: 't',
      logger: silentLogger(),
      onDropped: (samples) => {
        dropped += samples
      },
      write: () => Promise.reject(new Error('away')),
    })
    for (let round = 0; round < 3; round += 1) {
      recorder.record(Array.from({ length: 200_000 }, (_, index) => sample(round * 200_000 + index)))
      await recorder.flush()
    }
    expect(dropped).toBe(200_000)
  })
})
