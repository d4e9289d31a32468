import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertSpans, type TestSpan } from '../../test/support/insert-spans.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { searchTraces } from './search-traces.ts'

const T0_MS = 1_795_000_000_000

let deps: OpenQueryDeps

beforeAll(async () => {
  deps = await openQueryDeps()
})

afterAll(() => deps.close())

/** Few traces, few services and few times, so that everything collides: equal times, equal durations, long traces. */
const someSpans = fc.array(
  fc.record({
    trace: fc.integer({ min: 1, max: 12 }),
    at: fc.integer({ min: 0, max: 15 }),
    duration: fc.integer({ min: 0, max: 4 }),
    service: fc.constantFrom('shop', 'pay'),
  }),
  { minLength: 1, maxLength: 60 },
)

let tenants = 0

test('pages show each matching trace once, in order, for any spans, order and page size', async () => {
  await fc.assert(
    fc.asyncProperty(
      someSpans,
      fc.constantFrom('time' as const, 'duration' as const),
      fc.integer({ min: 1, max: 5 }),
      async (drawn, order, limit) => {
        tenants += 1
        const tenant = `pages-${tenants}`
        const spans = drawn.map(
          ({ trace, at, duration, service }, index): TestSpan => ({
            tenant,
            traceId: trace.toString(16).padStart(32, '0'),
            spanId: (index + 1).toString(16).padStart(16, '0'),
            service,
            startTimeUnixNano: BigInt(T0_MS + at * 60_000) * 1_000_000n,
            durationNanos: BigInt(duration),
          }),
        )
        await insertSpans(deps.storage, spans)
        const found: string[] = []
        let cursor: string | null = null
        do {
          const page: Awaited<ReturnType<typeof searchTraces>> = await searchTraces(deps, {
            tenant,
            filter: { service: 'shop' },
            startMs: T0_MS,
            endMs: T0_MS + 3_600_000,
            order,
            limit,
            cursor,
          })
          found.push(...page.traces.map(({ traceId, matched }) => `${traceId} ${matched.spanId}`))
          cursor = page.cursor
        } while (cursor !== null)
        expect(found).toEqual(expectedLines(spans, order))
      },
    ),
    { numRuns: 15 },
  )
})

/** What the pages must show, from the definition: each trace at the first of its matching spans in the order. */
function expectedLines(spans: readonly TestSpan[], order: 'time' | 'duration'): string[] {
  const key = (span: TestSpan) =>
    [
      order === 'duration' ? String(span.durationNanos).padStart(20, '0') : '',
      String(span.startTimeUnixNano),
      span.traceId,
      span.spanId,
    ].join(' ')
  const matching = spans
    .filter(({ service }) => service === 'shop')
    .toSorted((a, b) => (key(a) < key(b) ? 1 : -1))
  const first = new Map<string, string>()
  for (const { traceId, spanId } of matching) if (!first.has(traceId)) first.set(traceId, spanId)
  return [...first].map(([traceId, spanId]) => `${traceId} ${spanId}`)
}
