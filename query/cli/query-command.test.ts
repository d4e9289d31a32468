import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EMPTY_HISTOGRAM, type FloatHistogram } from '../../model/float-histogram.ts'
import { labelsFrom } from '../../model/labels.ts'
import { type OpenFacades, openFacades } from '../../test/support/open-facades.ts'
import { createSampleWriter } from '../metrics/create-sample-writer.ts'
import { queryCommand } from './query-command.ts'

const NOW = Date.UTC(2026, 0, 2, 4)

const HISTOGRAM: FloatHistogram = {
  ...EMPTY_HISTOGRAM,
  zeroThreshold: 0.001,
  zeroCount: 1,
  count: 6,
  sum: 7.5,
  positiveSpans: [{ offset: 0, length: 2 }],
  positiveBuckets: [3, 2],
}

let facades: OpenFacades
let url: string

beforeAll(async () => {
  facades = await openFacades({ now: NOW })
  url = await facades.app.listen({ host: '127.0.0.1', port: 0 })
  const up = (job: string) =>
    labelsFrom([
      ['__name__', 'up'],
      ['job', job],
    ])
  await createSampleWriter(facades.deps.storage).write(
    'default',
    [
      { labels: up('cart'), timestampMs: NOW - 60_000, value: 0 },
      { labels: up('cart'), timestampMs: NOW, value: 1 },
      { labels: up('pay\x1b[31m'), timestampMs: NOW, value: 0.5 },
    ],
    'test',
  )
  await createSampleWriter(facades.deps.storage).write(
    'default',
    [60_000, 0].map((ago) => ({
      labels: labelsFrom([['__name__', 'h']]),
      timestampMs: NOW - ago,
      value: 0,
      histogram: HISTOGRAM,
    })),
    'histogram',
  )
})
afterAll(() => facades.close())

async function run(...args: string[]) {
  let stdout = ''
  let stderr = ''
  const code = await queryCommand([...args, '--url', url], {
    stdout: (text) => {
      stdout += text
    },
    stderr: (text) => {
      stderr += text
    },
    fetch,
    columns: 120,
    isTty: false,
  })
  return { code, stdout, stderr }
}

describe('meshwatch query', () => {
  test('shows a vector, a scalar, a range', async () => {
    expect(await run('up')).toEqual({
      code: 0,
      stderr: '',
      stdout: 'up{job="cart"}         1\nup{job="pay\\x1b[31m"}  0.5\n',
    })
    expect((await run('1 + 1')).stdout).toBe('2\n')
    expect((await run('up', '--time', 'now-1m')).stdout).toBe('up{job="cart"}  0\n')
    expect((await run('up{job="cart"}', '--start', 'now-1m')).stdout).toBe(
      'up{job="cart"}\n  2026-01-02T03:59:00.000Z  0\n  2026-01-02T04:00:00.000Z  1\n',
    )
  })

  test('shows native histograms', async () => {
    const shown = '{count:6, sum:7.5, [-0.001,0.001]:1, (0.5,1]:3, (1,2]:2}'
    expect((await run('h')).stdout).toBe(`h  ${shown}\n`)
    expect((await run('h', '--start', 'now-1m')).stdout).toBe(
      `h\n  2026-01-02T03:59:00.000Z  ${shown}\n  2026-01-02T04:00:00.000Z  ${shown}\n`,
    )
    expect((await run('histogram_count(h)')).stdout).toBe('{}  6\n')
  })

  test('shows how it was answered', async () => {
    const lines = (await run('up', '--plan')).stdout.split('\n')
    expect(lines[2]).toMatch(/^1 part, 0 from memory, \d+ statements?, \d+ rows read, /)
    expect(lines.length).toBeGreaterThan(4)
  })

  test('shows the answer itself', async () => {
    expect(JSON.parse((await run('1', '--json')).stdout)).toEqual({
      status: 'success',
      data: { resultType: 'scalar', result: [NOW / 1000, '1'] },
    })
  })

  test('tells what is doubtful and what is wrong', async () => {
    expect(await run('quantile(2, up)')).toMatchObject({
      code: 0,
      stderr: 'PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)\n',
    })
    expect(await run('up{')).toMatchObject({ code: 1, stderr: expect.stringContaining('parse error') })
    for (const args of [
      [],
      ['a', 'b'],
      ['up', '--step', '1m'],
      ['up', '--start', '1', '--time', '1'],
      ['--nope'],
    ]) {
      expect(await run(...args)).toMatchObject({ code: 2, stdout: '' })
    }
  })
})
