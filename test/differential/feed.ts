import { compressSync } from 'snappy'
import { encodeWriteRequest, type SentSeries } from '../support/encode-write-request.ts'
import type { JudgedSeries } from './judged-series.ts'

/** How much of the series goes into one message: Prometheus takes nothing that is an hour older than its newest sample. */
const SLICE_MS = 600_000

/** Sends all samples by remote write, in order of time, to the Prometheus API below `base`. Throws when a message is not taken. */
export async function feed(base: string, all: readonly JudgedSeries[]): Promise<void> {
  for (const slice of slices(all)) {
    const response = await fetch(`${base}/api/v1/write`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'snappy',
        'x-prometheus-remote-write-version': '0.1.0',
      },
      body: new Uint8Array(compressSync(encodeWriteRequest(slice, 1))),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`Cannot feed ${base}: HTTP ${response.status}, ${text}`)
  }
}

function* slices(all: readonly JudgedSeries[]): Generator<SentSeries[]> {
  const times = all.flatMap(({ samples }) =>
    [samples[0]?.timestampMs ?? [], samples.at(-1)?.timestampMs ?? []].flat(),
  )
  const last = Math.max(...times)
  for (let fromMs = Math.min(...times); fromMs <= last; fromMs += SLICE_MS) {
    const slice = all.flatMap(({ labels, samples }) => {
      const some = samples.filter(
        ({ timestampMs }) => timestampMs >= fromMs && timestampMs < fromMs + SLICE_MS,
      )
      return some.length === 0 ? [] : [{ labels, samples: some }]
    })
    if (slice.length > 0) yield slice
  }
}
