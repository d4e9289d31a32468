import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compressSync } from 'snappy'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeWriteRequest, type SentSample, type SentSeries } from './support/encode-write-request.ts'
import { isLoaded } from './support/ingest-metrics.ts'
import { remoteWrite, sendWriteBody, type WriteOptions } from './support/remote-write-client.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'
import { waitUntil } from './support/wait-until.ts'

const TOKENS = `tokens:
  - { name: shop, token: shop-token-1234567, scopes: [ingest, read], tenant: shop }
  - { name: bank, token: bank-token-1234567, scopes: [ingest, read], tenants: [bank, vault] }
  - { name: eyes, token: eyes-token-1234567, scopes: [read, write], tenant: shop }
`
const WRITTEN = 'x-prometheus-remote-write-samples-written'

let directory: string
let server: MeshwatchServer

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'meshwatch-write-'))
  const tokensFile = join(directory, 'tokens.yaml')
  writeFileSync(tokensFile, TOKENS)
  server = await startMeshwatch({
    environment: {
      MESHWATCH_HTTP__AUTH__TOKENS_FILE: tokensFile,
      MESHWATCH_INGEST__MAX_MESSAGE_SIZE: '1MiB',
    },
  })
}, 30_000)
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

function bearer(token: string, tenant: string | null = null): WriteOptions['headers'] {
  return {
    authorization: `Bearer ${token}-token-1234567`,
    ...(tenant === null ? {} : { 'x-scope-orgid': tenant }),
  }
}

function one(name: string, value = 1, more: Partial<SentSeries> = {}): SentSeries {
  return { labels: ['__name__', name], samples: [{ timestampMs: Date.now(), value }], ...more }
}

async function ask(expr: string, headers: WriteOptions['headers'] = bearer('shop')): Promise<unknown> {
  const response = await fetch(`${server.url}/prometheus/api/v1/query?query=${encodeURIComponent(expr)}`, {
    headers: headers as Record<string, string>,
  })
  const { data } = (await response.json()) as {
    data: { result: { metric: object; value: [number, string] }[] }
  }
  return data.result.map(({ metric, value }) => [metric, value[1]])
}

async function loaded(): Promise<void> {
  await waitUntil('everything is loaded', async () => {
    const response = await fetch(`${server.url}/readyz`)
    const { dependencies } = (await response.json()) as {
      dependencies: { ingest: { journalBytes: number } }
    }
    return dependencies.ingest.journalBytes === 0
  })
}

describe.each(['the API', 'OTLP/HTTP'])('on the listener of %s', (listener) => {
  const url = () => (listener === 'the API' ? server.url : server.otlpHttpUrl)
  const own = listener === 'the API' ? 'api' : 'otlp'

  test.each([1, 2] as const)(
    'version %s.0: what is answered with success can be asked for',
    async (version) => {
      const name = `${own}_v${version}`
      const answer = await remoteWrite(url(), [one(name, 4)], { version, headers: bearer('shop') ?? {} })
      expect(answer).toMatchObject({ status: 204, text: '' })
      expect(answer.headers.get(WRITTEN)).toBe(version === 1 ? null : '1')
      await loaded()
      expect(await ask(name)).toEqual([[{ __name__: name }, '4']])
    },
  )

  test('every tenant has its own', async () => {
    const name = `${own}_tenants`
    await remoteWrite(url(), [one(name, 1)], { headers: bearer('shop') ?? {} })
    await remoteWrite(url(), [one(name, 2)], { headers: bearer('bank', 'bank') ?? {} })
    await remoteWrite(url(), [one(name, 3)], { headers: bearer('bank', 'vault') ?? {} })
    await loaded()
    expect(await ask(name)).toEqual([[{ __name__: name }, '1']])
    expect(await ask(name, bearer('bank', 'bank'))).toEqual([[{ __name__: name }, '2']])
    expect(await ask(name, bearer('bank', 'vault'))).toEqual([[{ __name__: name }, '3']])
  })

  test('the good part of a message is stored, the rest told with 400', async () => {
    const name = `${own}_partial`
    const bad = { labels: ['job', 'x'], samples: [{ timestampMs: Date.now(), value: 1 }] }
    const old = { labels: ['__name__', 'old'], samples: [{ timestampMs: 1000, value: 1 }] }
    const answer = await remoteWrite(url(), [bad, one(name), old], {
      version: 2,
      headers: bearer('shop') ?? {},
    })
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(/^Cannot take 2 samples: .*\(first: {job="x"} has no metric name\)\n$/)
    expect(answer.headers.get(WRITTEN)).toBe('1')
    await loaded()
    expect(await ask(name)).toHaveLength(1)
  })

  const body = compressSync(encodeWriteRequest([one('refused')], 1))
  const good = bearer('shop') ?? {}
  test.each<[string, Uint8Array, WriteOptions, number, string]>([
    ['no token', body, {}, 401, 'no bearer token'],
    ['a token that may not send', body, { headers: bearer('eyes') ?? {} }, 403, 'lacks the scope ingest'],
    ['another tenant', body, { headers: bearer('bank', 'shop') ?? {} }, 403, 'does not allow the tenant'],
    ['JSON', body, { headers: { ...good, 'content-type': 'application/json' } }, 415, 'Content-Type'],
    [
      'another message',
      body,
      { headers: { ...good, 'content-type': 'application/x-protobuf;proto=x.Y' } },
      415,
      'prometheus.WriteRequest',
    ],
    ['gzip', body, { headers: { ...good, 'content-encoding': 'gzip' } }, 415, 'expected snappy'],
    ['no Snappy', Buffer.from([255, 255]), { headers: good }, 400, 'Cannot decompress'],
    ['no protobuf', compressSync(Buffer.from([10, 9, 1])), { headers: good }, 400, 'Cannot decode'],
    ['too much', Buffer.alloc(1_100_000), { headers: good }, 413, 'larger than 1048576 bytes'],
    ['a bomb', compressSync(Buffer.alloc(1_100_000)), { headers: good }, 413, 'when decompressed'],
  ])('refuses %s', async (_what, bytes, options, status, text) => {
    const answer = await sendWriteBody(url(), bytes, options)
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)])
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  })

  test('counts what it refuses once, whatever the reason', async () => {
    const counted = async () => {
      const response = await fetch(`${server.url}/metrics`, { headers: good as Record<string, string> })
      const lines = (await response.text()).match(/^meshwatch_ingest_refused_total\{.*$/gm) ?? []
      return Object.fromEntries(
        lines.map((line) => [/reason="(\w+)"/.exec(line)?.[1] ?? '', Number(line.split(' ')[1])]),
      )
    }
    const before = await counted()
    const json = { headers: { ...good, 'content-type': 'application/json' } }
    await sendWriteBody(url(), body, {})
    await sendWriteBody(url(), body, { headers: bearer('eyes') ?? {} })
    await sendWriteBody(url(), body, json)
    await sendWriteBody(url(), Buffer.from([255, 255]), { headers: good })
    await sendWriteBody(url(), Buffer.alloc(1_100_000), { headers: good })
    await sendWriteBody(url(), compressSync(Buffer.alloc(1_100_000)), { headers: good })
    await fetch(`${url()}/prometheus/api/v1/write`)
    const after = await counted()
    const more = Object.entries(after).map(([reason, count]) => [reason, count - (before[reason] ?? 0)])
    expect(Object.fromEntries(more.filter(([, count]) => count !== 0))).toEqual({
      unauthenticated: 1,
      permission_denied: 1,
      unsupported: 1,
      malformed: 1,
      too_large: 2,
    })
  })

  test('headers that old senders leave out mean 1.0 in Snappy', async () => {
    const headers = { ...good, 'content-type': null, 'content-encoding': null }
    expect(await sendWriteBody(url(), body, { headers })).toMatchObject({ status: 204 })
  })

  test('metadata alone is taken, and an empty message', async () => {
    const metadata = { type: 'counter', help: `of ${own}`, unit: '' } as const
    const name = `${own}_total`
    const told = { labels: ['__name__', name], samples: [], metadata }
    expect(await remoteWrite(url(), [told], { headers: good })).toMatchObject({ status: 204 })
    expect(await remoteWrite(url(), [], { headers: good })).toMatchObject({ status: 204 })
    await loaded()
    const response = await fetch(`${server.url}/prometheus/api/v1/metadata?metric=${name}`, {
      headers: good as Record<string, string>,
    })
    expect(await response.json()).toMatchObject({ data: { [name]: [metadata] } })
  })
})

describe('out of order, and twice', () => {
  const headers = bearer('shop') ?? {}
  const histogram = {
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 3,
    sum: 5,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: [3],
    negativeSpans: [],
    negativeBuckets: [],
    customValues: [],
    counterResetHint: 'unknown',
  } as const

  /** Sends samples one message after the other, in the given order, and gives back what a range selector finds. */
  async function stored(name: string, samples: readonly SentSample[]): Promise<unknown> {
    for (const sample of samples) {
      const series = { labels: ['__name__', name], samples: [sample] }
      expect(await remoteWrite(server.otlpHttpUrl, [series], { headers })).toMatchObject({ status: 204 })
    }
    await loaded()
    const response = await fetch(`${server.url}/prometheus/api/v1/query?query=${name}[1h]`, {
      headers: headers as Record<string, string>,
    })
    const { data } = (await response.json()) as {
      data: { result: { values?: unknown[]; histograms?: [number, { count: string }][] }[] }
    }
    return data.result.map(({ values, histograms }) => [
      values,
      histograms?.map(([time, { count }]) => [time, count]),
    ])
  }

  test('samples in any order, and some of them twice', async () => {
    const start = Math.floor(Date.now() / 1000) * 1000 - 60_000
    const samples = [5, 1, 3, 1, 2, 5, 4].map((second) => ({
      timestampMs: start + second * 1000,
      value: second,
    }))
    expect(await stored('any_order', samples)).toEqual([
      [[1, 2, 3, 4, 5].map((second) => [start / 1000 + second, String(second)]), undefined],
    ])
  })

  test.each([
    ['rising', (a: SentSample[]) => a],
    ['falling', (a: SentSample[]) => a.toReversed()],
  ])('several at one time: the greatest, whatever their order (%s)', async (order, arrange) => {
    const at = Math.floor(Date.now() / 1000) * 1000 - 60_000
    const times = [0, 1, 2, 3].map((second) => at + second * 1000) as [number, number, number, number]
    const samples = arrange([
      { timestampMs: times[0], value: -7 },
      { timestampMs: times[0], value: 3 },
      { timestampMs: times[1], isStale: true },
      { timestampMs: times[1], value: -1 },
      { timestampMs: times[2], value: Number.NaN },
      { timestampMs: times[2], value: Number.NEGATIVE_INFINITY },
      { timestampMs: times[3], value: 100 },
      { timestampMs: times[3], histogram },
    ])
    const seconds = times.map((time) => time / 1000)
    expect(await stored(`at_one_time_${order}`, samples)).toEqual([
      [
        [
          [seconds[0], '3'],
          [seconds[1], '-1'],
          [seconds[2], '-Inf'],
        ],
        [[seconds[3], '3']],
      ],
    ])
  })
})

test('what is taken and refused is counted as metrics', async () => {
  const text = await (
    await fetch(`${server.url}/metrics`, { headers: bearer('shop') as Record<string, string> })
  ).text()
  const value = (name: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    )
  expect(value('meshwatch_ingest_accepted_total{signal="metrics"}')).toBeGreaterThan(10)
  expect(value('meshwatch_ingest_refused_total{signal="metrics",reason="labels"}')).toBe(2)
  expect(value('meshwatch_ingest_refused_total{signal="metrics",reason="too_old"}')).toBe(2)
  expect(text).toMatch(/meshwatch_otlp_request_duration_seconds_count\{protocol="remote-write".*code="204"/)
})

test('a server that stops finishes what it took', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'meshwatch-write-stop-'))
  try {
    const first = await startMeshwatch({ dataDir })
    const answers = Array.from({ length: 20 }, (_, index) => remoteWrite(first.url, [one(`stop_${index}`)]))
    const settled = Promise.allSettled(answers)
    await answers[0]
    first.child.kill('SIGTERM')
    expect(await first.exit).toBe(0)
    const taken = (await settled).flatMap((result, index) =>
      result.status === 'fulfilled' && result.value.status === 204 ? [`stop_${index}`] : [],
    )
    const second = await startMeshwatch({ dataDir })
    try {
      await waitUntil('everything is loaded', () => isLoaded(second.url))
      const response = await fetch(`${second.url}/prometheus/api/v1/label/__name__/values`)
      const { data } = (await response.json()) as { data: string[] }
      expect(taken).toContain('stop_0')
      expect(taken.filter((name) => !data.includes(name))).toEqual([])
    } finally {
      await second.stop()
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
