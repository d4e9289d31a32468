import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { EMPTY_HISTOGRAM } from '../../model/float-histogram.ts'
import { labelsText, labelValue } from '../../model/labels.ts'
import { slotAt } from '../../model/slot.ts'
import { systemClock } from '../../runtime/clock.ts'
import { createLogger } from '../../runtime/logger.ts'
import { decodeWriteRows } from '../../test/support/decode-write.ts'
import { encodeMetricFamilies, labelPairsOf } from '../../test/support/encode-metric-families.ts'
import { buildTargets } from './build-targets.ts'
import { scrapeConfig } from './config.ts'
import { encodeSamples, endOf } from './encode-samples.ts'
import { createPageFetcher } from './fetch-page.ts'
import { createRelabel } from './relabel.ts'
import { scrapeJob } from './scrape-job.ts'
import { nextSlot } from './scrape-loop.ts'
import { EMPTY_MEMORY, samplesOfPage } from './scrape-once.ts'
import { startScraper } from './start-scraper.ts'

let server: Server
let address: string
let answer: { status: number; type: string; body: string | Buffer; headers?: Record<string, string> }
const asked: { url: string; headers: Record<string, unknown> }[] = []

beforeEach(async () => {
  asked.length = 0
  answer = { status: 200, type: 'text/plain; version=0.0.4', body: 'a 1\n' }
  server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', headers: request.headers })
    response.writeHead(answer.status, { 'content-type': answer.type, ...answer.headers }).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function targetOf(job: object) {
  const parsed = scrapeJob.parse({ jobName: 'shop', staticConfigs: [{ targets: [address] }], ...job })
  const [target] = buildTargets(parsed, { intervalMs: 1000, timeoutMs: 500 }).targets
  if (target === undefined) throw new Error('no target')
  return { target, relabel: createRelabel(parsed.metricRelabelConfigs) }
}

const texts = (
  samples: readonly { labels: readonly string[]; value: number | null; timestampMs: number }[],
) => samples.map(({ labels, value, timestampMs }) => `${labelsText(labels)} ${value} @${timestampMs}`)

describe('samplesOfPage', () => {
  const page = (text: string) => ({ bytes: Buffer.from(text), format: 'text' as const })

  test('adds the labels of the target and ends what is gone', () => {
    const { target, relabel } = targetOf({
      staticConfigs: [{ targets: ['h:1'], labels: { zone: 'z' } }],
      metricRelabelConfigs: [{ sourceLabels: ['__name__'], regex: 'go_.*', action: 'drop' }],
    })
    const first = samplesOfPage(
      target,
      relabel,
      page('a{x="1"} 1\nb 2 500\ngo_x 1\na{zone="own"} 4\n'),
      EMPTY_MEMORY,
      1000,
    )
    expect(texts(first.samples)).toEqual([
      'a{instance="h:1", job="shop", x="1", zone="z"} 1 @1000',
      'b{instance="h:1", job="shop", zone="z"} 2 @500',
      'a{exported_zone="own", instance="h:1", job="shop", zone="z"} 4 @1000',
    ])
    expect(first.counts).toEqual({ scraped: 4, kept: 3, added: 3 })
    const second = samplesOfPage(target, relabel, page('c 1\n'), first.memory, 2000)
    // What came with a time of its own does not end.
    expect(texts(second.samples)).toEqual([
      'c{instance="h:1", job="shop", zone="z"} 1 @2000',
      'a{instance="h:1", job="shop", x="1", zone="z"} null @2000',
      'a{exported_zone="own", instance="h:1", job="shop", zone="z"} null @2000',
    ])
  })

  test('honours labels and times as the job says', () => {
    const honest = targetOf({ honorLabels: true, honorTimestamps: false })
    const { samples } = samplesOfPage(
      honest.target,
      honest.relabel,
      page('a{job="own",instance=""} 1 5\n'),
      EMPTY_MEMORY,
      1000,
    )
    expect(texts(samples)).toEqual(['a{job="own"} 1 @1000'])
  })

  test('numbers in le and quantile are written as OpenMetrics has them, whatever the page says', () => {
    const { target, relabel } = targetOf({ staticConfigs: [{ targets: ['h:1'] }] })
    const written = (text: string) =>
      samplesOfPage(target, relabel, page(text), EMPTY_MEMORY, 0).samples.map(
        ({ labels }) => labelValue(labels, 'le') || labelValue(labels, 'quantile'),
      )
    expect(
      written(
        '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="10e5"} 1\nh_bucket{le="+Inf"} 1\nh_bucket{le="x"} 1\n' +
          '# TYPE s summary\ns{quantile="1"} 1\ns{le="1"} 1\n# TYPE g gauge\ng{le="1"} 1\n',
      ),
    ).toEqual(['1.0', '1e+06', '+Inf', 'x', '1.0', '1', '1'])
  })

  test('the protobuf format, with native histograms or without', () => {
    const native = {
      name: 'rpc',
      type: 'HISTOGRAM',
      metric: [
        {
          label: labelPairsOf({ zone: 'own' }),
          histogram: {
            sampleCount: 3,
            sampleSum: 4.5,
            schema: 9,
            positiveSpan: [{ offset: 1, length: 2 }],
            positiveDelta: [1, 1],
            createdTimestamp: { seconds: 1, nanos: 0 },
            exemplars: [{ label: [], value: 1, timestamp: { seconds: 2, nanos: 0 } }],
          },
        },
      ],
    }
    const bytes = encodeMetricFamilies([native])
    const scrape = (job: object, memory = EMPTY_MEMORY) => {
      const { target, relabel } = targetOf({
        staticConfigs: [{ targets: ['h:1'], labels: { zone: 'z' } }],
        ...job,
      })
      return samplesOfPage(target, relabel, { bytes, format: 'protobuf' }, memory, 2000)
    }
    const { samples, memory, counts } = scrape({ scrapeNativeHistograms: true })
    expect(texts(samples)).toEqual([
      'rpc{exported_zone="own", instance="h:1", job="shop", zone="z"} 4.5 @2000',
    ])
    expect(counts).toEqual({ scraped: 1, kept: 1, added: 1 })
    expect(samples[0]).toMatchObject({
      histogram: { schema: 8, positiveSpans: [{ offset: 1, length: 1 }], positiveBuckets: [3] },
      startMs: 1000,
      exemplars: [{ value: 1, timestampMs: 2000 }],
      metadata: { type: 'histogram' },
    })
    expect(scrape({ scrapeNativeHistograms: true }, memory).counts.added).toBe(0)
    // A histogram that ends does so as any series.
    const { target, relabel } = targetOf({})
    const ended = samplesOfPage(target, relabel, { bytes: Buffer.alloc(0), format: 'protobuf' }, memory, 3000)
    expect(ended.samples).toMatchObject([{ value: null, histogram: null, labels: samples[0]?.labels }])

    expect(scrape({}).samples.map(({ labels }) => labelValue(labels, '__name__'))).toEqual([
      'rpc_count',
      'rpc_sum',
      'rpc_bucket',
    ])
    expect(() => scrape({ scrapeNativeHistograms: true, nativeHistogramBucketLimit: 1 })).not.toThrow()
    native.metric[0]?.histogram.positiveDelta.push(1)
    const broken = encodeMetricFamilies([native])
    const wanting = targetOf({ scrapeNativeHistograms: true })
    expect(() =>
      samplesOfPage(wanting.target, wanting.relabel, { bytes: broken, format: 'protobuf' }, EMPTY_MEMORY, 0),
    ).toThrow('a histogram of "rpc" has 3 positive buckets, and spans for 2')
  })

  test('what is sent is what remote write takes', () => {
    const histogram = {
      ...EMPTY_HISTOGRAM,
      schema: -1,
      zeroThreshold: 0.25,
      zeroCount: 2,
      count: 10,
      sum: 3,
      positiveSpans: [{ offset: -2, length: 2 }],
      positiveBuckets: [3, 1],
      negativeSpans: [{ offset: 5, length: 1 }],
      negativeBuckets: [4],
      counterResetHint: 'gauge' as const,
    }
    const now = Date.UTC(2026, 0, 2, 4)
    const sample = {
      ...endOf(['__name__', 'm'], now),
      value: 3,
      startMs: now - 1000,
      exemplars: [
        { labels: [['a', 'b'] as const], value: 1, timestampMs: now - 5 },
        { labels: [], value: 2, timestampMs: null },
      ],
    }
    const sent = [true, false].map((isInteger) => ({ ...sample, histogram: { ...histogram, isInteger } }))
    const { outcome, tables } = decodeWriteRows(encodeSamples([...sent, sample]), { version: 2, now })
    expect(outcome).toMatchObject({ histograms: 2, samples: 1, exemplars: 6, rejected: 0 })
    const [first, second] = tables['prom_histograms'] ?? []
    expect(second).toEqual(first)
    expect(first).toMatchObject({
      reset_hint: 3,
      schema: -1,
      start: BigInt(now - 1000),
      positive_offsets: [-2],
      positive_lengths: [2],
      negative_offsets: [5],
    })
    expect(tables['prom_samples']).toMatchObject([{ start: BigInt(now - 1000), ts: BigInt(now) }])
  })

  test.each([
    [{ sampleLimit: 1 }, 'a 1\nb 1\n', /sample limit exceeded/],
    [{ labelLimit: 3 }, 'a{b="c"} 1\n', /label_limit/],
    [{ labelValueLengthLimit: 30 }, `a{b="${'x'.repeat(31)}"} 1\n`, /label_value_length_limit/],
    [{}, 'a{b} 1\n', /has no value/],
  ])('%j refuses the whole page', (job, text, message) => {
    const { target, relabel } = targetOf(job)
    expect(() => samplesOfPage(target, relabel, page(text), EMPTY_MEMORY, 0)).toThrow(message)
  })
})

describe('createPageFetcher', () => {
  const get = async (job: object) => {
    const { target } = targetOf(job)
    const fetcher = createPageFetcher(target.job, '1')
    try {
      return await fetcher.fetch(target, new AbortController().signal)
    } finally {
      await fetcher.close()
    }
  }

  test('asks for texts, unpacks', async () => {
    answer = {
      status: 200,
      type: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
      body: gzipSync('# EOF\n'),
      headers: { 'content-encoding': 'gzip' },
    }
    expect(await get({ params: { a: ['1', '2'] } })).toEqual({
      bytes: Buffer.from('# EOF\n'),
      format: 'openmetrics',
    })
    expect(asked[0]?.url).toBe('/metrics?a=1&a=2')
    expect(asked[0]?.headers['accept']).toMatch(/openmetrics.*text\/plain/)
    expect(asked[0]?.headers['x-prometheus-scrape-timeout-seconds']).toBe('0.5')
  })

  test('says why there is no page', async () => {
    answer = { ...answer, status: 404 }
    await expect(get({})).rejects.toThrow('Cannot scrape: server returned HTTP status 404 Not Found')
    answer = { ...answer, status: 200, body: 'a 1\n'.repeat(100) }
    await expect(get({ bodySizeLimit: 100 })).rejects.toThrow('larger than 100 bytes')
    answer = { ...answer, body: gzipSync('a 1\n').subarray(0, 10), headers: { 'content-encoding': 'gzip' } }
    await expect(get({})).rejects.toThrow('Cannot scrape: unexpected end of file')
    await expect(get({ staticConfigs: [{ targets: ['127.0.0.1:1'] }] })).rejects.toThrow(/ECONNREFUSED/)
  })
})

test('slots', () => {
  const target = { intervalMs: 1000, offsetMs: 300 }
  expect(slotAt(5299, target.intervalMs, target.offsetMs)).toBe(4300)
  expect(nextSlot(5299, 4300, target)).toBe(5300)
  expect(nextSlot(5300, 4300, target)).toBe(5300)
  // Missed ones are left out, a clock that went far back starts anew.
  expect(nextSlot(9400, 4300, target)).toBe(9300)
  expect(nextSlot(1000, 4300, target)).toBe(1300)
})

describe('startScraper', () => {
  test('scrapes, tells of failures, ends what is gone, survives a refusal', async () => {
    const written: Uint8Array[] = []
    let isRefusing = false
    const scraper = startScraper({
      config: scrapeConfig.parse({
        interval: '100ms',
        timeout: '100ms',
        jobs: [
          {
            jobName: 'shop',
            staticConfigs: [{ targets: [address, 'dropped:1'] }],
            relabelConfigs: [{ sourceLabels: ['__address__'], regex: 'dropped.*', action: 'drop' }],
          },
        ],
      }),
      write: async (_, message) => {
        if (isRefusing) throw new Error('full')
        written.push(Uint8Array.from(message))
        return { rejected: 0 }
      },
      tenant: 'default',
      programVersion: '1',
      clock: systemClock,
      logger: createLogger({ level: 'silent', isReadable: false, clock: systemClock }),
      registry: new Registry(),
    })
    try {
      const health = () => scraper.view().active[0]
      await vi.waitFor(() => expect(health()?.health).toBe('up'), { timeout: 30_000 })
      const { active, dropped } = scraper.view()
      expect(active.map(({ job, url, labels }) => [job, url, labels])).toEqual([
        ['shop', `http://${address}/metrics`, { instance: address, job: 'shop' }],
      ])
      expect(dropped).toHaveLength(1)
      const page = Buffer.from(written[0] ?? []).toString('latin1')
      for (const name of ['a', 'up', 'scrape_duration_seconds', 'scrape_series_added'])
        expect(page).toContain(name)

      isRefusing = true
      const before = asked.length
      await vi.waitFor(() => expect(asked.length).toBeGreaterThan(before + 1), { timeout: 30_000 })
      isRefusing = false
      answer = { ...answer, status: 500 }
      await vi.waitFor(() => expect(health()?.lastError).toMatch(/status 500/), { timeout: 30_000 })
      expect(health()?.health).toBe('down')
    } finally {
      await scraper.close()
    }
  })

  test('a reload with a broken file leaves everything as it was; at the start a broken one has no jobs', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'meshwatch-scraper-'))
    const configFile = join(dir, 'prometheus.yml')
    const jobs = (...names: readonly string[]) =>
      `scrape_configs: ${JSON.stringify(names.map((name) => ({ job_name: name, scrape_interval: '100ms', static_configs: [{ targets: [address] }] })))}`
    const warn = vi.fn()
    let ended = 0
    writeFileSync(configFile, 'scrape_configs: [')
    const scraper = startScraper({
      config: scrapeConfig.parse({ interval: '100ms', timeout: '100ms', configFile }),
      write: async (_, message) => {
        const { tables } = decodeWriteRows(Uint8Array.from(message), { version: 2, now: Date.now() })
        ended += tables['prom_samples']?.filter((row) => row['is_stale'] === 1).length ?? 0
        return { rejected: 0 }
      },
      tenant: 'default',
      programVersion: '1',
      clock: systemClock,
      logger: { ...createLogger({ level: 'silent', isReadable: false, clock: systemClock }), warn },
      registry: new Registry(),
    })
    const running = () => scraper.view().active.map(({ job, health }) => `${job} ${health}`)
    try {
      expect(running()).toEqual([])
      expect(warn).toHaveBeenCalledWith(
        { event: 'scrape_config', problem: expect.stringContaining('prometheus.yml: expected YAML') },
        'Not taken over',
      )
      writeFileSync(configFile, jobs('shop'))
      await scraper.reload()
      await vi.waitFor(() => expect(running()).toEqual(['shop up']), { timeout: 30_000 })

      writeFileSync(configFile, `${jobs('store')} ]`)
      await expect(scraper.reload()).rejects.toThrow(/^Cannot load the scrape jobs: .*expected YAML/)
      writeFileSync(configFile, 'global: { scrape_interval: often }')
      await expect(scraper.reload()).rejects.toThrow(/global\.scrape_interval: /)
      rmSync(configFile)
      await expect(scraper.reload()).rejects.toThrow(/expected a readable file: ENOENT/)
      expect(running()).toEqual(['shop up'])
      const before = asked.length
      await vi.waitFor(() => expect(asked.length).toBeGreaterThan(before + 1), { timeout: 30_000 })
      expect(ended).toBe(0)

      writeFileSync(configFile, jobs('store'))
      await scraper.reload()
      await vi.waitFor(() => expect(running()).toEqual(['store up']), { timeout: 30_000 })
      expect(ended).toBeGreaterThan(0)
    } finally {
      await scraper.close()
      rmSync(dir, { recursive: true })
    }
  })

  test('files of targets: those that come are scraped, those that go end, the others go on', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'meshwatch-scraper-'))
    const file = join(dir, 'targets.json')
    const other = `localhost:${new URL(`http://${address}`).port}`
    const write = (...targets: readonly string[]) =>
      writeFileSync(file, JSON.stringify([{ targets, labels: { zone: 'z' } }]))
    write(address)
    const ONE = Buffer.from(Float64Array.of(1).buffer).toString('hex')
    const ended: string[] = []
    let begun = 0
    const warn = vi.fn()
    const scraper = startScraper({
      config: scrapeConfig.parse({
        interval: '100ms',
        timeout: '100ms',
        jobs: [
          {
            jobName: 'found',
            fileSdConfigs: [{ files: [join(dir, '*.json')], refreshInterval: '100ms' }],
            relabelConfigs: [{ sourceLabels: ['__meta_filepath'], regex: '.*/(.*)', targetLabel: 'file' }],
          },
        ],
      }),
      write: async (_, message) => {
        const { tables } = decodeWriteRows(Uint8Array.from(message), { version: 2, now: Date.now() })
        const series = new Map(tables['prom_series']?.map((row) => [row['id'], row['labels']]))
        for (const row of tables['prom_samples'] ?? []) {
          const labels = JSON.stringify(series.get(row['series']))
          if (row['is_stale'] === 1 && row['metric'] === 'up') ended.push(labels)
          const isNew = row['metric'] === 'scrape_series_added' && row['value'] === ONE
          if (isNew && labels.includes(address)) begun += 1
        }
        return { rejected: 0 }
      },
      tenant: 'default',
      programVersion: '1',
      clock: systemClock,
      logger: { ...createLogger({ level: 'silent', isReadable: false, clock: systemClock }), warn },
      registry: new Registry(),
    })
    const up = () => scraper.view().active.filter(({ health }) => health === 'up')
    try {
      await vi.waitFor(() => expect(up()).toHaveLength(1), { timeout: 30_000 })
      expect(up()[0]).toMatchObject({
        labels: { file: 'targets.json', instance: address, job: 'found', zone: 'z' },
        discoveredLabels: { __meta_filepath: file },
      })
      write(address, other)
      await vi.waitFor(() => expect(up()).toHaveLength(2), { timeout: 30_000 })
      // The one that was there has not begun anew: its series are new once.
      expect(begun).toBe(1)
      expect(ended).toEqual([])

      writeFileSync(file, '[{')
      await vi.waitFor(() => expect(warn).toHaveBeenCalled(), { timeout: 30_000 })
      expect(scraper.view().active).toHaveLength(2)

      write(other)
      await vi.waitFor(() => expect(scraper.view().active).toHaveLength(1), { timeout: 30_000 })
      await vi.waitFor(() => expect(ended).toEqual([expect.stringContaining(address)]), { timeout: 30_000 })
    } finally {
      await scraper.close()
      rmSync(dir, { recursive: true })
    }
  })
})
