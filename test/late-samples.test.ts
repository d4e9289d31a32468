import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { metricsMessage, sumMetric } from './support/metric-messages.ts'
import { remoteWrite } from './support/remote-write-client.ts'
import { createSpanMessage } from './support/span-message.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'
import { text } from './support/stored-attributes.ts'
import { waitUntil } from './support/wait-until.ts'

/** A real server, its receivers, journal and loader: what comes late must be seen in ranges that were answered before. */
let server: MeshwatchServer
beforeAll(async () => {
  server = await startMeshwatch()
}, 60_000)
afterAll(() => server?.stop())

const END = Math.floor(systemClock.now() / 60_000) * 60_000
const START = END - 3_600_000

interface Answer {
  readonly data: { readonly result: readonly { readonly values: readonly [number, string][] }[] }
  readonly plan: { readonly parts: readonly { readonly from: string }[] }
}

async function ask(query: string): Promise<{ readonly total: number; readonly isFromMemory: boolean }> {
  const parameters = { query, start: START / 1000, end: END / 1000, step: 15, debug: 'plan' }
  const search = new URLSearchParams(
    Object.entries(parameters).map(([name, value]) => [name, `${value}`] as [string, string]),
  )
  const response = await fetch(`${server.url}/prometheus/api/v1/query_range?${search}`)
  expect(response.status).toBe(200)
  const { data, plan } = (await response.json()) as Answer
  const values = data.result.flatMap((series) => series.values.map(([, value]) => Number(value)))
  return {
    total: values.reduce((sum, value) => sum + value, 0),
    isFromMemory: plan.parts.every(({ from }) => from === 'cache'),
  }
}

/** Until the answer has become another one and stays in memory. */
async function settled(query: string, before: number): Promise<number> {
  let total = before
  await waitUntil(
    `${query} changes`,
    async () => {
      const answer = await ask(query)
      total = answer.total
      return total !== before && answer.isFromMemory
    },
    30_000,
  )
  return total
}

test('of remote write, of OTLP, of spans', async () => {
  const write = async (name: string, ...times: readonly number[]) => {
    const samples = times.map((timestampMs) => ({ timestampMs, value: 1 }))
    const answer = await remoteWrite(server.url, [{ labels: ['__name__', name, 'job', 'j'], samples }])
    expect(answer.status).toBeLessThan(300)
  }
  const otlp = async (path: string, body: Uint8Array) => {
    const response = await fetch(`${server.otlpHttpUrl}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(body),
    })
    expect(response.status).toBe(200)
  }
  const point = (ms: number) => ({ timeUnixNano: String(BigInt(ms) * 1_000_000n), asInt: '1' })
  const counter = (ms: number) =>
    metricsMessage([sumMetric([point(ms)])], { attributes: [text('service.name', 'late')] })
  const spans = createSpanMessage(8, 'late')
  const spansAt = (serial: number, ms: number) => {
    spans.renew(serial, ms)
    return spans.bytes
  }

  await write('late', END - 300_000)
  await otlp('metrics', counter(END - 300_000))
  await otlp('traces', spansAt(1, END - 300_000))
  const queries = ['sum(late)', 'sum(requests_total)', 'sum(traces_spanmetrics_calls_total)']
  const first = await Promise.all(queries.map((query) => settled(query, 0)))

  // Half an hour late.
  await write('late', END - 1_800_000)
  await otlp('metrics', counter(END - 1_800_000))
  await otlp('traces', spansAt(2, END - 1_800_000))
  const second = await Promise.all(queries.map((query, i) => settled(query, first[i] ?? 0)))
  for (const [i, total] of second.entries()) expect(total, queries[i]).toBeGreaterThan(first[i] ?? 0)
}, 90_000)
