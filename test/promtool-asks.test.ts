import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EMPTY_HISTOGRAM, type FloatHistogram } from '../model/float-histogram.ts'
import { createSampleWriter } from '../query/metrics/create-sample-writer.ts'
import { type OpenFacades, openFacades } from './support/open-facades.ts'

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
const NOW = Date.UTC(2026, 0, 2, 4)
const NOW_S = NOW / 1000

describe.skipIf(!hasPromtool)('promtool asks us as it asks Prometheus', () => {
  let facades: OpenFacades
  let url: string

  beforeAll(async () => {
    facades = await openFacades({ now: NOW })
    url = `${await facades.app.listen({ host: '127.0.0.1', port: 0 })}/prometheus`
    const samples = [120_000, 60_000, 0].map((ago, index) => ({
      labels: ['__name__', 'up', 'job', 'cart'],
      timestampMs: NOW - ago,
      value: index,
    }))
    const histogram: FloatHistogram = {
      ...EMPTY_HISTOGRAM,
      count: 5,
      sum: 7.5,
      positiveSpans: [{ offset: 0, length: 2 }],
      positiveBuckets: [3, 2],
    }
    const labels = ['__name__', 'latency']
    await createSampleWriter(facades.deps.storage).write(
      'default',
      [...samples, { labels, timestampMs: NOW, value: 0, histogram }],
      'test',
    )
  })
  afterAll(() => facades.close())

  async function promtool(...args: readonly string[]): Promise<string> {
    return (await promisify(execFile)('promtool', ['query', ...args])).stdout
  }

  test('query instant', async () => {
    expect(await promtool('instant', `--time=${NOW_S}`, url, 'up')).toBe(`up{job="cart"} => 2 @[${NOW_S}]\n`)
    expect(await promtool('instant', `--time=${NOW_S}`, url, '1/0')).toBe(`scalar: +Inf @[${NOW_S}]\n`)
    await expect(promtool('instant', url, 'up{')).rejects.toMatchObject({
      stderr: expect.stringContaining('bad_data: invalid parameter "query": 1:4: parse error: '),
    })
  })

  test('query range', async () => {
    const out = await promtool(
      'range',
      `--start=${NOW_S - 120}`,
      `--end=${NOW_S}`,
      '--step=60s',
      url,
      'up * 10',
    )
    expect(out).toBe(`{job="cart"} =>\n0 @[${NOW_S - 120}]\n10 @[${NOW_S - 60}]\n20 @[${NOW_S}]\n`)
  })

  test('native histograms', async () => {
    const instant = (query: string) => promtool('instant', `--time=${NOW_S}`, url, query)
    expect(await instant('histogram_count(latency)')).toBe(`{} => 5 @[${NOW_S}]\n`)
    expect(await instant('histogram_sum(latency) / histogram_count(latency)')).toBe(`{} => 1.5 @[${NOW_S}]\n`)
    expect(await instant('histogram_fraction(0, 1, latency)')).toBe(`{} => 0.6 @[${NOW_S}]\n`)
    // The installed version knows no histograms: it reads the answer, and shows the series.
    expect(await instant('latency')).toContain('latency')
  })

  test('query series and labels', async () => {
    const times = [`--start=${NOW_S - 600}`, `--end=${NOW_S}`]
    expect(await promtool('series', ...times, '--match=up', url)).toBe('{__name__="up", job="cart"}\n')
    expect(await promtool('labels', ...times, url, 'job')).toBe('cart\n')
  })
})
