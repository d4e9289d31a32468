import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { labelsFrom, labelsText } from '../model/labels.ts'
import { type ExpositionTarget, startExpositionTarget } from './support/exposition-target.ts'
import { isLoaded } from './support/ingest-metrics.ts'
import { type PrometheusProcess, prometheusVersion, startPrometheus } from './support/prometheus-process.ts'
import { remoteWrite } from './support/remote-write-client.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'
import { waitUntil } from './support/wait-until.ts'

const version = prometheusVersion()
const SERIES = 40

/** Samples by series, each as `time value`. */
type Samples = ReadonlyMap<string, readonly string[]>

describe.skipIf(version === null)(
  `a real Prometheus (${version ?? 'not installed: skipped'}) writes to us`,
  () => {
    let dataDir: string
    let server: MeshwatchServer
    let target: ExpositionTarget
    let prometheus: PrometheusProcess

    beforeAll(async () => {
      dataDir = mkdtempSync(join(tmpdir(), 'meshwatch-write-'))
      target = await startExpositionTarget(SERIES)
      server = await startMeshwatch({ dataDir })
      prometheus = await startPrometheus({ config: configuration(server.url, target.address) })
    }, 60_000)
    afterAll(async () => {
      await prometheus?.stop()
      server?.child.kill('SIGKILL')
      await server?.exit
      await target?.close()
      rmSync(dataDir, { recursive: true, force: true })
    })

    async function scraped(times: number): Promise<void> {
      const until = target.scrapes() + times
      await waitUntil(`${times} more scrapes`, async () => target.scrapes() >= until, 60_000)
    }

    test('no sample is missing, though we are killed and away for a while', {
      timeout: 120_000,
    }, async () => {
      const { port } = new URL(server.url)
      await scraped(5)
      for (const scrapesAway of [0, 6, 0]) {
        await scraped(4)
        server.child.kill('SIGKILL')
        await server.exit
        target.setAll(scrapesAway === 0)
        await scraped(scrapesAway)
        server = await startMeshwatch({ dataDir, environment: { MESHWATCH_HTTP__PORT: port } })
      }
      target.setAll(true)
      await scraped(3)

      const untilMs = Date.now()
      await waitUntil('Prometheus has sent everything', () => hasSent(prometheus.url, untilMs), 60_000)
      await waitUntil('everything is loaded', () => isLoaded(server.url), 30_000)
      const expected = await readSamples(prometheus.url, untilMs)
      const stored = await readSamples(`${server.url}/prometheus`, untilMs)
      expect(expected.size).toBeGreaterThan(SERIES * 8)
      const counts = [...expected.values()].map((samples) => samples.length)
      expect(Math.max(...counts)).toBeGreaterThan(20)
      expect(differences(expected, stored)).toEqual([])

      // The control: one sample taken away is seen.
      const [series, samples] = [...stored][0] as [string, readonly string[]]
      const damaged = new Map(stored).set(series, samples.slice(1))
      expect(differences(expected, damaged)).toEqual([`${series}: ${samples[0]} is missing`])
    })

    test('native histograms', { timeout: 30_000 }, async () => {
      // They come to Prometheus by remote write, and from there to us.
      const now = Date.now()
      expect(await sendNativeHistograms(prometheus.url, now)).toMatchObject({ status: 204 })
      await waitUntil('Prometheus has sent everything', () => hasSent(prometheus.url, now), 20_000)
      await waitUntil('everything is loaded', () => isLoaded(server.url), 20_000)
      const expected = await readSamples(prometheus.url, now, 'sent')
      expect([...expected.values()].map((samples) => samples.length)).toEqual([2])
      expect(differences(expected, await readSamples(`${server.url}/prometheus`, now, 'sent'))).toEqual([])
    })

    test('what ended has ended at the same time', async () => {
      const atS = Date.now() / 1000
      for (const query of ['count({job="target"})', 'count by (__name__) ({job="target"})']) {
        for (const time of [atS, atS - 3, atS - 6]) {
          expect(await ask(`${server.url}/prometheus`, 'query', { query, time: String(time) })).toEqual(
            await ask(prometheus.url, 'query', { query, time: String(time) }),
          )
        }
      }
    })

    test('exemplars and metadata', async () => {
      const now = Date.now() / 1000
      const query = {
        query: 'requests_total{route="/r/1"}',
        start: String(now - 60),
        end: String(now - 2),
      }
      const ours = await ask(`${server.url}/prometheus`, 'query_exemplars', query)
      expect(ours).toEqual(await ask(prometheus.url, 'query_exemplars', query))
      expect(ours).toEqual([{ seriesLabels: expect.anything(), exemplars: expect.any(Array) }])

      const theirs = (await ask(prometheus.url, 'metadata', {})) as Record<string, { type: string }[]>
      const told = (await ask(`${server.url}/prometheus`, 'metadata', {})) as typeof theirs
      const expected = Object.entries(theirs).map(([name, [first]]) => [name, first])
      expect(expected.length).toBeGreaterThan(3)
      for (const [name, first] of expected) {
        expect(told[String(name)]).toEqual([expect.objectContaining(first as object)])
      }
    })
  },
)

function configuration(url: string, target: string): string {
  return `global: { scrape_interval: 250ms, scrape_timeout: 250ms }
scrape_configs:
  - job_name: target
    static_configs: [{ targets: ['${target}'] }]
remote_write:
  - url: ${url}/prometheus/api/v1/write
    send_exemplars: true
    send_native_histograms: true
    metadata_config: { send: true, send_interval: 1s }
    queue_config: { batch_send_deadline: 200ms, max_samples_per_send: 500, min_backoff: 30ms, max_backoff: 200ms }
`
}

function sendNativeHistograms(url: string, now: number) {
  const labels = labelsFrom([
    ['__name__', 'native'],
    ['job', 'sent'],
  ])
  const histogram = {
    schema: 1,
    zeroThreshold: 0.001,
    zeroCount: 1,
    count: 8,
    sum: 18.4,
    positiveSpans: [
      { offset: -2, length: 2 },
      { offset: 1, length: 1 },
    ],
    positiveBuckets: [1, 2, 3],
    negativeSpans: [{ offset: 0, length: 1 }],
    negativeBuckets: [1],
    customValues: [],
    counterResetHint: 'unknown',
  } as const
  const samples = [
    { timestampMs: now - 2000, histogram, isInteger: true },
    { timestampMs: now - 1000, histogram: { ...histogram, count: 9, zeroCount: 2 }, isInteger: true },
  ]
  return remoteWrite(url, [{ labels, samples }], { path: '/api/v1/write' })
}

async function ask(url: string, path: string, parameters: Record<string, string>): Promise<unknown> {
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`)
  const body = (await response.json()) as { status: string; data: unknown }
  expect(body).toMatchObject({ status: 'success' })
  return body.data
}

async function hasSent(url: string, untilMs: number): Promise<boolean> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const value = (name: string) =>
    Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
  return (
    value('prometheus_remote_storage_samples_pending') === 0 &&
    value('prometheus_remote_storage_queue_highest_sent_timestamp_seconds') * 1000 >= untilMs - 500
  )
}

/** All samples of the last ten minutes up to a time, of all series of a job. */
async function readSamples(url: string, untilMs: number, job = 'target'): Promise<Samples> {
  const query = `{job="${job}"}[10m]`
  const data = await ask(url, 'query', { query, time: String((untilMs - 500) / 1000) })
  const { result } = data as {
    result: {
      metric: Record<string, string>
      values?: [number, string][]
      histograms?: [number, object][]
    }[]
  }
  return new Map(
    result.map(({ metric, values = [], histograms = [] }) => [
      labelsText(labelsFrom(Object.entries(metric))),
      [
        ...values.map(([time, value]) => `${time} ${value}`),
        ...histograms.map(([time, histogram]) => `${time} ${JSON.stringify(histogram)}`),
      ],
    ]),
  )
}

function differences(expected: Samples, stored: Samples): string[] {
  const found = [...expected].flatMap(([series, samples]) => {
    const own = new Set(stored.get(series))
    return samples.filter((sample) => !own.has(sample)).map((sample) => `${series}: ${sample} is missing`)
  })
  const extra = [...stored].flatMap(([series, samples]) => {
    const theirs = new Set(expected.get(series))
    return samples.filter((sample) => !theirs.has(sample)).map((sample) => `${series}: ${sample} is too many`)
  })
  return [...found, ...extra]
}
