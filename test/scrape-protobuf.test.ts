import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { buildTargets } from '../ingest/scrape/build-targets.ts'
import { createPageFetcher } from '../ingest/scrape/fetch-page.ts'
import { parsePage } from '../ingest/scrape/parse-page.ts'
import { createRelabel } from '../ingest/scrape/relabel.ts'
import { scrapeJob } from '../ingest/scrape/scrape-job.ts'
import { EMPTY_MEMORY, samplesOfPage } from '../ingest/scrape/scrape-once.ts'
import { labelsText, labelValue } from '../model/labels.ts'
import {
  encodeMetricFamilies,
  labelPairsOf,
  METRIC_FAMILIES_TYPE,
  type MetricFamily,
} from './support/encode-metric-families.ts'
import { type PrometheusProcess, prometheusVersion, startPrometheus } from './support/prometheus-process.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'

const PATIENCE = { timeout: 20_000, interval: 100 }
const version = prometheusVersion()

/** What both scrape: nothing of it changes from one scrape to the next. */
const FAMILIES: readonly MetricFamily[] = [
  {
    name: 'orders_total',
    help: 'Orders taken.',
    type: 'COUNTER',
    metric: [
      { label: labelPairsOf({ kind: 'gift', text: 'ü "x"' }), counter: { value: 12 } },
      { label: labelPairsOf({ kind: 'own', text: '' }), counter: { value: 0.5 } },
    ],
  },
  { name: 'queue', type: 'GAUGE', metric: [{ gauge: { value: -3 } }] },
  { name: 'odd', type: 'UNTYPED', metric: [{ untyped: { value: Number.POSITIVE_INFINITY } }] },
  {
    name: 'wait_seconds',
    type: 'SUMMARY',
    metric: [
      {
        summary: {
          sampleCount: 3,
          sampleSum: 1.5,
          quantile: [
            { quantile: 0.5, value: 0.25 },
            { quantile: 1, value: 1 },
          ],
        },
      },
    ],
  },
  {
    name: 'classic_seconds',
    type: 'HISTOGRAM',
    metric: [
      {
        histogram: {
          sampleCount: 4,
          sampleSum: 9,
          bucket: [
            { cumulativeCount: 1, upperBound: 1 },
            { cumulativeCount: 3, upperBound: 2.5e6 },
          ],
        },
      },
    ],
  },
  {
    name: 'rpc_seconds',
    help: 'Calls.',
    type: 'HISTOGRAM',
    metric: [
      {
        label: labelPairsOf({ to: 'cart' }),
        histogram: {
          sampleCount: 11,
          sampleSum: 7.25,
          bucket: [{ cumulativeCount: 11, upperBound: 5 }],
          schema: 3,
          zeroThreshold: 1e-3,
          zeroCount: 2,
          positiveSpan: [
            { offset: -9, length: 3 },
            { offset: 4, length: 2 },
          ],
          positiveDelta: [1, 2, -3, 2, 1],
        },
      },
      {
        label: labelPairsOf({ to: 'mail' }),
        histogram: {
          sampleCount: 5,
          sampleSum: -7.25,
          zeroThreshold: 1e-3,
          positiveSpan: [{ offset: 0, length: 1 }],
          positiveDelta: [3],
          negativeSpan: [{ offset: 2, length: 1 }],
          negativeDelta: [2],
        },
      },
    ],
  },
]
/** Only newer Prometheus take these. */
const NEWER: readonly MetricFamily[] = [
  {
    name: 'schließ.vorgang',
    type: 'HISTOGRAM',
    metric: [
      {
        label: labelPairsOf({ 'was.zu': 'tür' }),
        histogram: {
          sampleCount: 3,
          sampleSum: 2,
          schema: 20,
          positiveSpan: [{ offset: 3, length: 2 }],
          positiveDelta: [1, 1],
          exemplars: [
            {
              label: labelPairsOf({ trace_id: 'a'.repeat(32) }),
              value: 0.5,
              timestamp: { seconds: 1, nanos: 0 },
            },
          ],
        },
      },
    ],
  },
]

let dir: string
let target: Server
let address: string
let meshwatch: MeshwatchServer
const accepted = new Map<string, string>()

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'meshwatch-protobuf-'))
  target = createServer((request, response) => {
    const { url = '', headers } = request
    accepted.set(url, String(headers.accept))
    const families = url === '/newer' ? [...FAMILIES, ...exemplarsNow(NEWER)] : FAMILIES
    response
      .writeHead(200, { 'content-type': METRIC_FAMILIES_TYPE })
      .end(encodeMetricFamilies(families, url === '/newer'))
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  address = `127.0.0.1:${(target.address() as AddressInfo).port}`
  writeFileSync(
    join(dir, 'prometheus.yml'),
    `
global: { scrape_interval: 500ms, scrape_timeout: 500ms, scrape_native_histograms: true }
scrape_configs:
  - { job_name: same, static_configs: [{ targets: ['${address}'] }] }
  - { job_name: newer, metrics_path: /newer, static_configs: [{ targets: ['${address}'] }] }
  - { job_name: both, always_scrape_classic_histograms: true, metrics_path: /both, static_configs: [{ targets: ['${address}'] }] }
`,
  )
  writeFileSync(join(dir, 'meshwatch.yaml'), 'scrape: { configFile: prometheus.yml }\n')
  meshwatch = await startMeshwatch({
    dataDir: join(dir, 'data'),
    args: ['--config', join(dir, 'meshwatch.yaml')],
  })
})

afterAll(async () => {
  meshwatch?.child.kill('SIGTERM')
  await meshwatch?.exit
  target.closeAllConnections()
  await new Promise((resolve) => target.close(resolve))
  rmSync(dir, { recursive: true, force: true })
})

/** Exemplars are wanted of these minutes only. */
function exemplarsNow(families: readonly MetricFamily[]): readonly MetricFamily[] {
  const seconds = Math.floor(Date.now() / 1000)
  return JSON.parse(JSON.stringify(families).replaceAll('"seconds":1', `"seconds":${seconds}`))
}

interface Row {
  readonly metric: Readonly<Record<string, string>>
  readonly value?: readonly [number, string]
  readonly histogram?: readonly [number, object]
}

async function ask(url: string, path: string, parameters: Readonly<Record<string, string>>) {
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`)
  expect(response.status).toBe(200)
  return ((await response.json()) as { data: never }).data
}

/** What an expression is now: labels and value, or labels and histogram, sorted. */
async function query(url: string, expression: string): Promise<string[]> {
  const { result } = (await ask(url, 'query', { query: expression })) as { result: readonly Row[] }
  return result
    .map(({ metric, value, histogram }) =>
      JSON.stringify([Object.entries(metric).sort(), value?.[1] ?? histogram?.[1]]),
    )
    .sort()
}

const ours = () => `${meshwatch.url}/prometheus`

describe('a server that scrapes the protobuf format', () => {
  test('asks for it, and stores native histograms', async () => {
    await vi.waitFor(async () => {
      expect(await query(ours(), 'up == 1')).toHaveLength(3)
      expect(await query(ours(), 'histogram_count(rpc_seconds{job="same"})')).toHaveLength(2)
    }, PATIENCE)
    expect(accepted.get('/metrics')).toMatch(/^application\/vnd\.google\.protobuf;proto=io\.prometheus/)
    expect(await query(ours(), 'histogram_count(rpc_seconds{job="same",to="cart"})')).toEqual([
      expect.stringContaining('"11"'),
    ])
    expect(await query(ours(), '{__name__=~"rpc_seconds_.*",job="same"}')).toEqual([])
    expect(await query(ours(), 'rpc_seconds_bucket{job="both",to="cart",le="5.0"}')).toHaveLength(1)
    expect(await query(ours(), 'rpc_seconds{job="both",to="cart"}')).toHaveLength(1)
    expect(await ask(ours(), 'metadata', { metric: 'rpc_seconds' })).toMatchObject({
      rpc_seconds: [{ type: 'histogram', help: 'Calls.' }],
    })
  })

  test('names in UTF-8, finer schemas, exemplars', async () => {
    const expression = '{"schließ.vorgang","was.zu"="tür"}'
    await vi.waitFor(async () => {
      expect(await query(ours(), `histogram_sum(${expression})`)).toEqual([expect.stringContaining('"2"')])
    }, PATIENCE)
    // Buckets 3 and 4 of schema 20 lie in bucket 1 of schema 8: up to 2^(1/256).
    expect(await query(ours(), expression)).toEqual([
      expect.stringContaining(`"buckets":[[0,"1","1.0027112750502025","3"]]`),
    ])
    const nowS = Date.now() / 1000
    const range = { start: String(nowS - 60), end: String(nowS + 60) }
    const exemplars: readonly object[] = await ask(ours(), 'query_exemplars', { query: expression, ...range })
    expect(exemplars).toMatchObject([
      { exemplars: expect.arrayContaining([expect.objectContaining({ value: '0.5' })]) },
    ])
  })
})

describe.skipIf(version === null)(`beside Prometheus (${version ?? 'not installed: skipped'})`, () => {
  let prometheus: PrometheusProcess

  beforeAll(async () => {
    prometheus = await startPrometheus({
      config: `
global: { scrape_interval: 500ms, scrape_timeout: 500ms }
scrape_configs: [{ job_name: same, static_configs: [{ targets: ['${address}'] }] }]
`,
    })
  }, 60_000)
  afterAll(() => prometheus?.stop())

  test('the same page comes to the same series, native histograms included', async () => {
    const scraped = '{job="same",__name__!~"scrape_duration_seconds|scrape_series_added"}'
    await vi.waitFor(async () => expect(await query(prometheus.url, 'up == 1')).toHaveLength(1), PATIENCE)
    const theirs = await query(prometheus.url, scraped)
    expect(theirs.length).toBeGreaterThan(15)
    expect(theirs.filter((text) => text.includes('"buckets"'))).toHaveLength(2)
    expect(await query(ours(), scraped)).toEqual(theirs)
    for (const expression of [
      'sum(rpc_seconds{job="same"})',
      'histogram_sum(rpc_seconds{job="same"})',
      'histogram_quantile(0.5, classic_seconds_bucket{job="same"})',
    ]) {
      const expected = await query(prometheus.url, expression)
      expect(expected.length).toBeGreaterThan(0)
      expect(await query(ours(), expression)).toEqual(expected)
    }
  })

  test("Prometheus' own page says the same in both formats", async () => {
    const { host } = new URL(prometheus.url)
    const scrape = async (scrapeProtocols: readonly string[]) => {
      const job = scrapeJob.parse({ jobName: 'own', staticConfigs: [{ targets: [host] }], scrapeProtocols })
      const [one] = buildTargets(job, { intervalMs: 5000, timeoutMs: 5000 }).targets
      if (one === undefined) throw new Error('no target')
      const fetcher = createPageFetcher(job, '1')
      try {
        const page = await fetcher.fetch(one, new AbortController().signal)
        const { samples } = samplesOfPage(one, createRelabel([]), page, EMPTY_MEMORY, 0)
        const values = new Map(samples.map(({ labels, value }) => [labelsText(labels), value]))
        const growing = samples.filter(
          ({ labels, metadata }) =>
            /counter|histogram|summary/.test(metadata?.type ?? '') && labelValue(labels, 'quantile') === '',
        )
        return {
          format: page.format,
          values,
          growing: new Set(growing.map(({ labels }) => labelsText(labels))),
          metadata: parsePage(page, job).metadata,
        }
      } finally {
        await fetcher.close()
      }
    }
    const before = await scrape(['PrometheusText0.0.4'])
    const protobuf = await scrape(['PrometheusProto'])
    const after = await scrape(['PrometheusText0.0.4'])
    expect([before, protobuf, after].map(({ format }) => format)).toEqual(['text', 'protobuf', 'text'])
    // The page counts its own scrapes: the first has made series that the second shows.
    expect([...protobuf.values.keys()].filter((series) => !after.values.has(series))).toEqual([])
    expect([...before.values.keys()].filter((series) => !protobuf.values.has(series))).toEqual([])
    // What only grows, and is the same before and after, is the same in between.
    const constant = [...before.values].filter(
      ([series, value]) => before.growing.has(series) && Object.is(after.values.get(series), value),
    )
    expect(constant.length).toBeGreaterThan(100)
    expect(constant.some(([series]) => /le="1\.0"/.test(series))).toBe(true)
    expect(constant.filter(([series, value]) => !Object.is(protobuf.values.get(series), value))).toEqual([])
    const told = ([name, { type, help }]: readonly [string, { type: string; help: string }]) =>
      `${name} ${type === 'unknown' ? 'untyped' : type} ${help}`
    const tellings = [before, protobuf, after].map(({ metadata }) => [...metadata].map(told))
    expect(tellings[0]?.length).toBeGreaterThan(100)
    expect(tellings[1]).toEqual(expect.arrayContaining(tellings[0] ?? []))
    expect(tellings[2]).toEqual(expect.arrayContaining(tellings[1] ?? []))
  })
})
