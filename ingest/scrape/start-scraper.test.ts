import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { labelsText } from '../../model/labels.ts'
import { slotAt } from '../../model/slot.ts'
import { systemClock } from '../../runtime/clock.ts'
import { createLogger } from '../../runtime/logger.ts'
import { buildTargets } from './build-targets.ts'
import { scrapeConfig } from './config.ts'
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
  const page = (text: string) => ({ text, isOpenMetrics: false })

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

  test('asks for both formats, unpacks', async () => {
    answer = {
      status: 200,
      type: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
      body: gzipSync('# EOF\n'),
      headers: { 'content-encoding': 'gzip' },
    }
    expect(await get({ params: { a: ['1', '2'] } })).toEqual({ text: '# EOF\n', isOpenMetrics: true })
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
      await vi.waitFor(() => expect(health()?.health).toBe('up'), { timeout: 5000 })
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
      await vi.waitFor(() => expect(asked.length).toBeGreaterThan(before + 1), { timeout: 5000 })
      isRefusing = false
      answer = { ...answer, status: 500 }
      await vi.waitFor(() => expect(health()?.lastError).toMatch(/status 500/), { timeout: 5000 })
      expect(health()?.health).toBe('down')
    } finally {
      await scraper.close()
    }
  })
})
