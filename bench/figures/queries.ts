import type { BenchOptions } from '../bench-options.ts'
import { startBenchServer } from '../bench-server.ts'
import { count, type Figure, megabytes, ms } from '../figure.ts'
import { type Filled, fillSpans } from '../fill-spans.ts'
import { mulberry32, OPERATIONS, SERVICES } from '../mesh-spans.ts'
import { openStorage } from '../open-storage.ts'
import { quantile } from '../quantile.ts'
import { runEngineAlone } from '../run-engine-alone.ts'
import { requestIdOf, traceIdOf } from '../span-ids.ts'
import { readStoredSize, settleMerges, timeFullScan } from '../stored-spans.ts'
import { withDirectory } from '../with-directory.ts'

const HOUR_MS = 3_600_000
const RANGE_MS = 12 * HOUR_MS

/** Ten million spans over twelve hours; then different questions, one at a time, through the REST API. */
export async function measureQueries(options: BenchOptions): Promise<readonly Figure[]> {
  const questions = options.questions ?? 200
  return await withDirectory(options, async (directory) => {
    const storage = await openStorage(directory)
    const endMs = Date.now() - 1000
    const begun = performance.now()
    const filled = await fillSpans(storage, {
      spans: options.spans ?? 10_000_000,
      startMs: endMs - RANGE_MS,
      endMs,
    })
    console.log(`stored ${count(filled.spans)} spans in ${((performance.now() - begun) / 1000).toFixed(0)} s`)
    await settleMerges(storage, 120)
    const stored = await readStoredSize(storage)
    console.log(`${stored.parts} parts of spans, ${megabytes(stored.allBytes)} in all tables`)
    const pick = chooser(filled, endMs)
    const scanMs = await timeFullScan(storage, pick.needle().requestId, 3)
    await storage.close()
    const engine = await runEngineAlone(directory)
    const spawned = performance.now()
    const server = await startBenchServer(directory)
    const startMs = performance.now() - spawned
    try {
      const ask = (path: () => string, isGood: (body: Answer) => boolean) =>
        timeQuestions(server.url, questions, path, isGood)
      const first = await timeQuestions(server.url, 1, () => pick.trace(), hasSpans, 0)
      const trace = await ask(() => pick.trace(), hasSpans)
      const search = await ask(
        () => pick.search(),
        () => true,
      )
      const needle = await ask(
        () => pick.needle().path,
        (body) => body.traces?.length === 1,
      )
      const line = (what: string, times: Times, targetMs: number, beside?: string): Figure => ({
        what: `${what} (${times.ms.length} different)`,
        value: `p50 ${ms(quantile(times.ms, 0.5))}, p95 ${ms(quantile(times.ms, 0.95))}, max ${ms(quantile(times.ms, 1))}`,
        target: `p95 ${targetMs} ms`,
        isReached: quantile(times.ms, 0.95) <= targetMs,
        ...(beside === undefined ? {} : { beside }),
      })
      return [
        line('trace by id', trace, 40, `the very first after the start: ${ms(quantile(first.ms, 1))}`),
        line(
          'service + operation + duration + attribute, last hour',
          search,
          200,
          `${search.found.toFixed(1)} traces found on average`,
        ),
        line(
          'needle: one attribute value in 12 hours',
          needle,
          500,
          `full scan in ClickHouse: ${ms(scanMs)}`,
        ),
        {
          what: 'stored per span, all tables and indexes',
          value: `${(stored.allBytes / filled.spans).toFixed(1)} B (spans ${(stored.spansBytes / filled.spans).toFixed(1)}, trace index ${(stored.tracesBytes / filled.spans).toFixed(1)})`,
          beside: `OTLP ${(filled.otlpBytes / filled.spans).toFixed(0)} B, gzip of each message ${(filled.gzipBytes / filled.spans).toFixed(1)} B`,
        },
        {
          what: 'cold start with that data, to the ready line',
          value: ms(startMs),
          target: '3000 ms',
          isReached: startMs <= 3000,
          beside: `engine alone ${ms(engine.startMs)} (ClickHouse ${engine.version}); page cache warm`,
        },
      ] satisfies Figure[]
    } finally {
      await server.stop()
    }
  })
}

interface Answer {
  readonly traces?: readonly unknown[]
  readonly spans?: readonly unknown[]
}

interface Times {
  readonly ms: readonly number[]
  /** Traces per answer. */
  readonly found: number
}

function hasSpans(body: Answer): boolean {
  return body.spans?.length === 8
}

/** Draws questions at random, the same ones in every run. */
function chooser(filled: Filled, endMs: number) {
  const random = mulberry32(20_261_120)
  const below = (limit: number) => Math.floor(random() * limit)
  const request = () => [below(filled.messages), below(filled.spansPerMessage / 2)] as const
  const range = (lengthMs: number) => `start=${(endMs - lengthMs) / 1000}&end=${(endMs + 1) / 1000}`
  return {
    trace: () => `/api/traces/${traceIdOf(...request())}`,
    search: () => {
      const query = new URLSearchParams({
        service: SERVICES[below(SERVICES.length)] ?? '',
        operation: OPERATIONS[below(OPERATIONS.length)] ?? '',
        minDuration: `${1 + below(40)}ms`,
        attr: [
          'http.status_code=503',
          'zone=eu-1b',
          `response_flags=UO`,
          `peer.address=10.1.${below(4)}.${below(60)}:8080`,
        ][below(4)] as string,
        limit: '20',
      })
      return `/api/traces?${query}&${range(HOUR_MS)}`
    },
    needle: () => {
      const requestId = requestIdOf(...request())
      const query = new URLSearchParams({ attr: `guid:x-request-id=${requestId}` })
      return { requestId, path: `/api/traces?${query}&${range(RANGE_MS)}` }
    },
  }
}

/** Asks one question after the other; the first `warmUp` do not count. Throws when an answer is not what it must be. */
async function timeQuestions(
  url: string,
  questions: number,
  path: () => string,
  isGood: (body: Answer) => boolean,
  warmUp = 5,
): Promise<Times> {
  const times: number[] = []
  let found = 0
  for (let index = -warmUp; index < questions; index++) {
    const asked = path()
    const begun = performance.now()
    const response = await fetch(`${url}${asked}`)
    const body = (await response.json()) as Answer
    const took = performance.now() - begun
    if (!response.ok || !isGood(body)) {
      throw new Error(
        `Cannot measure ${asked}: HTTP ${response.status}, ${JSON.stringify(body).slice(0, 300)}`,
      )
    }
    if (index < 0) continue
    times.push(took)
    found += body.traces?.length ?? 0
  }
  return { ms: times, found: found / questions }
}
