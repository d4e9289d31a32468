import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EMPTY_HISTOGRAM, type FloatHistogram } from '../model/float-histogram.ts'
import { labelsFrom } from '../model/labels.ts'
import { createSampleWriter } from '../query/metrics/create-sample-writer.ts'
import { type OpenFacades, openFacades } from './support/open-facades.ts'
import { type PrometheusProcess, prometheusVersion, startPrometheus } from './support/prometheus-process.ts'
import { remoteWrite } from './support/remote-write-client.ts'

const version = prometheusVersion()
const NOW = Math.floor(Date.now() / 60_000) * 60_000 - 60_000
const NOW_S = NOW / 1000
const START_S = NOW_S - 600

/** What the installed version does otherwise than Prometheus 3, which we do as: the request, and how its answer becomes ours. */
const KNOWN: readonly (readonly [RegExp, (answer: Answer) => Answer])[] = [
  // The parameter is not known to it.
  [/lookback_delta/, () => SKIPPED],
  // The first letter was a capital.
  [
    /"x"|2020-01-01/,
    (answer) => withError(answer, (error) => error.replace(': Invalid time', ': invalid time')),
  ],
  // The parameter is named since.
  [
    /query_range/,
    (answer) => withError(answer, (error) => error.replace(QUERY_ERROR, 'invalid parameter "query": ')),
  ],
  // Where it notices is chance.
  [
    /"timeout":"(0|-1)"/,
    (answer) => withError(answer, (error) => error.replace('query queue', 'query execution')),
  ],
  // It does not count them.
  [/targets/, () => SKIPPED],
]
const QUERY_ERROR = /^(?=\d+:\d+: parse error|invalid expression type)/
const SKIPPED: Answer = { status: 0, type: null, body: null }

interface Answer {
  readonly status: number
  readonly type: string | null
  readonly body: unknown
}

describe.skipIf(version === null)(
  `the API beside Prometheus ${version ?? '(which is not installed)'}`,
  () => {
    let facades: OpenFacades
    let prometheus: PrometheusProcess
    let ours: string

    beforeAll(async () => {
      facades = await openFacades({ now: NOW })
      ours = `${await facades.app.listen({ host: '127.0.0.1', port: 0 })}/prometheus`
      prometheus = await startPrometheus()
      const series = [
        { name: 'requests_total', job: 'cart', of: (i: number) => i * 7 },
        { name: 'requests_total', job: 'pay', of: (i: number) => (i % 7) * 1e21 },
        { name: 'small', job: 'cart', of: (i: number) => i * 1e-8 },
        { name: 'odd', job: 'ü"\\', of: (i: number) => [Number.NaN, Infinity, -Infinity, -0][i % 4] ?? 0 },
      ].map(({ name, job, of }) => ({
        labels: labelsFrom([
          ['__name__', name],
          ['job', job],
        ]),
        samples: Array.from({ length: 40 }, (_, i) => ({
          timestampMs: NOW - 600_000 + 17 + i * 15_000,
          value: of(i),
        })),
      }))
      const latency = {
        labels: ['__name__', 'latency', 'job', 'cart'],
        samples: Array.from({ length: 40 }, (_, i) => ({
          timestampMs: NOW - 600_000 + 17 + i * 15_000,
          value: 0,
          isInteger: true,
          histogram: histogramAt(i + 1),
        })),
      }
      const answer = await remoteWrite(prometheus.url, [...series, latency], { path: '/api/v1/write' })
      expect(answer).toMatchObject({ status: 204 })
      await createSampleWriter(facades.deps.storage).write(
        'default',
        [...series, latency].flatMap(({ labels, samples }) =>
          samples.map((sample) => ({ labels, ...sample })),
        ),
        'compare',
      )
    }, 60_000)
    afterAll(async () => {
      await prometheus?.stop()
      await facades?.close()
    })

    async function ask(base: string, path: string, form?: string): Promise<Answer> {
      const response = await fetch(`${base}/api/v1${path}`, {
        ...(form === undefined
          ? {}
          : {
              method: 'POST',
              body: form,
              headers: { 'content-type': 'application/x-www-form-urlencoded' },
            }),
      })
      const text = await response.text()
      const type = response.headers.get('content-type')?.split(';')[0] ?? null
      return { status: response.status, type, body: text === '' ? null : JSON.parse(text) }
    }

    function encoded(parameters: Readonly<Record<string, string | readonly string[]>>): string {
      const query = new URLSearchParams()
      for (const [name, value] of Object.entries(parameters)) {
        for (const one of [value].flat()) query.append(name, one)
      }
      return query.toString()
    }

    const time = String(NOW_S)
    const range = { start: String(START_S), end: time, step: '60' }

    test.each<[string, Record<string, string | readonly string[]>]>([
      ['/query', { query: 'requests_total', time }],
      ['/query', { query: 'requests_total', time: new Date(NOW).toISOString() }],
      ['/query', { query: 'requests_total', time: '1.5e9' }],
      ['/query', { query: 'requests_total[1m]', time }],
      ['/query', { query: 'requests_total[1m]', time: `${NOW_S - 600.5}` }],
      ['/query', { query: 'small', time }],
      ['/query', { query: 'odd[2m]', time }],
      ['/query', { query: '-1e-7', time }],
      ['/query', { query: '1e21 + 1e-300', time }],
      ['/query', { query: '"a\\"b"', time }],
      ['/query', { query: 'nothing', time }],
      ['/query', { query: 'nothing[5m]', time }],
      ['/query', { query: 'latency', time }],
      ['/query', { query: 'latency[1m]', time }],
      ['/query', { query: '{job="cart"}[40s]', time }],
      ['/query', { query: 'histogram_count(latency)', time }],
      ['/query_range', { query: 'latency', ...range }],
      ['/query_range', { query: 'sum(latency) or small', ...range }],
      ['/query', { query: 'requests_total', time, lookback_delta: '1s' }],
      ['/query', { query: 'requests_total', time, lookback_delta: '20' }],
      ['/query', { query: 'requests_total', time, lookback_delta: '0' }],
      ['/query', { query: 'requests_total', time, lookback_delta: '-5m' }],
      ['/query', { query: 'requests_total', time, lookback_delta: 'x' }],
      ['/query', { query: 'requests_total', time, timeout: '5s' }],
      ['/query', { query: 'requests_total', time, timeout: 'x' }],
      ['/query', { query: 'requests_total', time, timeout: '1e30' }],
      ['/query', { query: 'requests_total', time, timeout: '0' }],
      ['/query', { query: 'requests_total', time, timeout: '-1' }],
      ['/query', { query: 'requests_total', time: 'x' }],
      ['/query', { query: 'requests_total', time: '2020-01-01' }],
      ['/query', { query: 'requests_total{', time }],
      ['/query', { query: '', time }],
      ['/query', { time }],
      ['/query', { query: 'sum(', time }],
      ['/query', { query: 'requests_total + on(job) group_left requests_total', time }],
      ['/query', { query: 'requests_total * on() requests_total', time }],
      ['/query', { query: 'label_replace(requests_total, "x", "$1", "job", "(")', time }],
      ['/query', { query: 'label_replace(requests_total, "job", "same", "job", ".*")', time }],
      ['/query', { query: 'rate(requests_total)', time }],
      ['/query_range', { query: 'requests_total', ...range }],
      ['/query_range', { query: 'max_over_time(requests_total[2m])', ...range }],
      ['/query_range', { query: 'odd', ...range }],
      ['/query_range', { query: 'small', ...range, step: '0.5' }],
      ['/query_range', { query: 'time()', ...range, step: '1m' }],
      [
        '/query_range',
        { query: '1', ...range, end: `${NOW_S - 0.25}`, start: `${NOW_S - 60.125}`, step: '7.3' },
      ],
      ['/query_range', { query: 'nothing', ...range }],
      ['/query_range', { query: 'requests_total[1m]', ...range }],
      ['/query_range', { query: '"text"', ...range }],
      ['/query_range', { query: 'requests_total{', ...range }],
      ['/query_range', { ...range }],
      ['/query_range', { query: '1', ...range, step: '0' }],
      ['/query_range', { query: '1', ...range, step: '-1' }],
      ['/query_range', { query: '1', ...range, step: 'x' }],
      ['/query_range', { query: '1', ...range, step: '1e30' }],
      ['/query_range', { query: '1', start: range.start, end: range.end }],
      ['/query_range', { query: '1', start: range.start, step: '1' }],
      ['/query_range', { query: '1', end: range.end, step: '1' }],
      ['/query_range', { query: '1', ...range, start: 'x' }],
      ['/query_range', { query: '1', ...range, end: 'y' }],
      ['/query_range', { query: '1', ...range, end: String(START_S - 1) }],
      ['/query_range', { query: '1', ...range, start: '0', step: '1' }],
      ['/query_range', { query: '1', ...range, start: `${NOW_S - 11_000}`, step: '1' }],
      ['/query_range', { query: '1', ...range, start: `${NOW_S - 11_000.9}`, step: '1' }],
      ['/query_range', { query: '1', ...range, start: `${NOW_S - 11_001}`, step: '1' }],
      ['/query_range', { query: '1', ...range, timeout: 'x' }],
      ['/query_range', { query: '1', ...range, lookback_delta: 'x' }],
      ['/query_range', { query: 'requests_total', ...range, lookback_delta: '5s' }],
      ['/series', { 'match[]': ['requests_total', '{job="cart"}'], start: range.start, end: range.end }],
      ['/series', { 'match[]': 'nothing', start: range.start, end: range.end }],
      ['/series', {}],
      ['/series', { 'match[]': 'requests_total{' }],
      ['/series', { 'match[]': '{job=~".*"}' }],
      ['/series', { 'match[]': 'requests_total', start: 'x' }],
      ['/labels', { start: range.start, end: range.end }],
      ['/labels', { 'match[]': 'small', start: range.start, end: range.end }],
      ['/labels', { 'match[]': 'nothing', start: range.start, end: range.end }],
      ['/labels', { start: 'x' }],
      ['/label/job/values', { start: range.start, end: range.end }],
      ['/label/job/values', { 'match[]': ['small', 'odd'] }],
      ['/label/nothing/values', {}],
      ['/label/__name__/values', {}],
      ['/format_query', { query: 'sum(a)by(b)' }],
      ['/format_query', { query: 'sum(' }],
      ['/query_exemplars', { query: 'small', start: range.start, end: range.end }],
      ['/query_exemplars', { query: '1', start: range.start, end: range.end }],
      ['/query_exemplars', { query: 'small', start: range.end, end: range.start }],
      ['/query_exemplars', { query: 'sum(' }],
      ['/query_exemplars', { query: 'small', start: 'x' }],
      ['/rules', {}],
      ['/alerts', {}],
      ['/targets', {}],
      ['/alertmanagers', {}],
      ['/metadata', {}],
      ['/metadata', { limit: 'x' }],
      ['/metadata', { limit: '0' }],
      ['/metadata', { limit: '-1' }],
      ['/labels', { 'match[]': '{' }],
      ['/label/job/values', { 'match[]': '{job=""}' }],
      ['/label/job/values', { start: range.end, end: range.start }],
      ['/series', { 'match[]': 'sum(a)' }],
      ['/series', { 'match[]': 'a[5m]' }],
      ['/series', { 'match[]': 'a offset 5m' }],
      ['/series', { 'match[]': '1' }],
      ['/series', { 'match[]': '{__name__="small"}', start: '-1', end: '1e12' }],
      ['/query', { query: 'requests_total', time: '-5' }],
      ['/query', { query: 'requests_total', time: '1e12' }],
      ['/query', { query: 'time()', time: '0.0005' }],
      ['/query', { query: 'time()', time: '-1.5' }],
      ['/query', { query: 'vector(1e-7) or label_replace(vector(1e21), "a", "b", "", "")', time }],
      ['/query', { query: 'sort_desc(requests_total)', time }],
      ['/query', { query: 'topk(1, requests_total)', time }],
      ['/query', { query: 'absent(nothing{job="a"})', time }],
      ['/query', { query: 'count_values("v", requests_total)', time }],
      ['/query', { query: 'requests_total @ start()', time }],
      ['/query', { query: 'small > bool 0', time }],
      ['/query_range', { query: 'requests_total @ end()', ...range }],
      ['/query_range', { query: '1 > bool 2', ...range }],
      ['/query_range', { query: '1 > 2', ...range }],
      ['/query_range', { query: 'requests_total offset -1m', ...range }],
      ['/query_range', { query: 'requests_total', start: range.start, end: range.start, step: '1' }],
      ['/query_range', { query: 'time()', start: '0.0005', end: '1.0005', step: '0.25' }],
      ['/format_query', {}],
      ['/query_exemplars', {}],
      ['/series', { 'match[]': 'small', start: range.end, end: range.start }],
    ])('%s %j', async (path, parameters) => {
      const known = (answer: Answer) =>
        KNOWN.reduce(
          (made, [request, change]) =>
            request.test(`${path} ${JSON.stringify(parameters)}`) ? change(made) : made,
          answer,
        )
      const [theirs, answer] = await Promise.all([
        ask(prometheus.url, `${path}?${encoded(parameters)}`),
        ask(ours, `${path}?${encoded(parameters)}`),
      ])
      const expected = known(theirs)
      if (expected === SKIPPED) return
      expect(answer).toEqual(expected)
      if (!/query|series|labels$/.test(path) || path === '/query_exemplars') return
      const [expectedPost, post] = await Promise.all([
        ask(prometheus.url, path, encoded(parameters)),
        ask(ours, path, encoded(parameters)),
      ])
      expect(post).toEqual(known(expectedPost))
    })

    test.each([
      '/status/buildinfo',
      '/status/runtimeinfo',
      '/status/config',
      '/status/walreplay',
      '/status/tsdb',
      '/targets/metadata',
    ])('%s has the same members', async (path) => {
      const [theirs, answer] = await Promise.all([ask(prometheus.url, path), ask(ours, path)])
      const dataOf = ({ body }: Answer) => (body as { readonly data: object }).data
      expect(answer.status).toBe(theirs.status)
      expect(Array.isArray(dataOf(answer))).toBe(Array.isArray(dataOf(theirs)))
      for (const [name, value] of Object.entries(dataOf(theirs))) {
        expect(typeof Object(dataOf(answer))[name], `${path} ${name}`).toBe(typeof value)
      }
    })

    test.each<[string, Record<string, string>]>([
      ['/query', { query: 'requests_total', time }],
      ['/query', { query: 'rate(requests_total[2m]) + on(job) sum by (job) (small)', time }],
      ['/query', { query: '1', time }],
      ['/query_range', { query: 'requests_total', ...range }],
      ['/query_range', { query: 'sum(rate(requests_total[2m])) / 2', ...range }],
      ['/query_range', { query: 'nothing', ...range }],
      ['/query_range', { query: 'small offset 1m', ...range }],
      ['/query', { query: 'latency', time }],
      ['/query', { query: 'rate(latency[2m])', time }],
      // Not on the borders of windows, which belonged to them before version 3.
      ['/query', { query: 'max_over_time(rate(requests_total[2m])[5m:1m])', time: String(NOW_S - 0.5) }],
      ['/query_range', { query: 'sum_over_time(small[5m:1m])', ...range, start: String(START_S - 1.5) }],
      ['/query', { query: 'small @ 1', time }],
      ['/query_range', { query: `requests_total @ ${NOW_S}`, ...range }],
      ['/query', { query: 'requests_total[1m]', time }],
    ])('statistics of %s %j', async (path, parameters) => {
      for (const stats of ['all', 'true', '']) {
        const [theirs, answer] = await Promise.all([
          ask(prometheus.url, `${path}?${encoded({ ...parameters, stats })}`),
          ask(ours, `${path}?${encoded({ ...parameters, stats })}`),
        ])
        expect(samplesOf(answer), `stats=${stats}`).toEqual(samplesOf(theirs))
      }
    })
  },
)

function histogramAt(i: number): FloatHistogram {
  return {
    ...EMPTY_HISTOGRAM,
    schema: 1,
    zeroThreshold: 0.001,
    zeroCount: i,
    count: 7 * i,
    sum: 1.5 * i,
    positiveSpans: [
      { offset: 0, length: 2 },
      { offset: 1, length: 1 },
    ],
    positiveBuckets: [i, 2 * i, i],
    negativeSpans: [{ offset: -3, length: 1 }],
    negativeBuckets: [2 * i],
  }
}

/** The part of an answer that does not depend on how fast it was. */
function samplesOf(answer: Answer): unknown {
  const { data } = answer.body as { data: { stats?: { samples: Record<string, unknown>; timings: object } } }
  if (data.stats === undefined) return null
  const { peakSamples, ...samples } = data.stats.samples
  return { ...samples, peak: typeof peakSamples, timings: Object.keys(data.stats.timings).sort() }
}

function withError(answer: Answer, change: (error: string) => string): Answer {
  const body = answer.body as { readonly error?: string } | null
  return body?.error === undefined ? answer : { ...answer, body: { ...body, error: change(body.error) } }
}
