import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertSpans } from '../../../test/support/insert-spans.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../../test/support/open-query-deps.ts'
import { findSummaries, findTraces } from './find-traces.ts'
import type { TraceSearch } from './trace-search.ts'

const START_MS = 1_763_625_600_000
const SEARCH: TraceSearch = {
  filter: { service: 'shop' },
  startMs: START_MS,
  endMs: START_MS + 60_000,
  limit: 100,
}

let deps: OpenQueryDeps
const never = new AbortController().signal

/** Traces 1 … 9, each a second newer and with as many spans as its number. */
beforeAll(async () => {
  deps = await openQueryDeps()
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9]
  await insertSpans(
    deps.storage,
    numbers.flatMap((trace) =>
      Array.from({ length: trace }, (_, span) => ({
        traceId: String(trace),
        spanId: String(span + 1),
        service: 'shop',
        startTimeUnixNano: BigInt(START_MS + trace * 1000 + span) * 1_000_000n,
      })),
    ),
  )
})

afterAll(() => deps.close())

async function found(maxSpans: number, search: TraceSearch = SEARCH) {
  const { traces, leftOut } = await findTraces(
    { ...deps, limits: { ...deps.limits, maxSpans } },
    'default',
    search,
    never,
  )
  return [traces.map(({ traceId, spans }) => [Number(traceId), spans.length]), leftOut]
}

describe('whole traces of a search', () => {
  test('are read in the order found, more of them than at a time', async () => {
    expect(await found(1000)).toEqual([[9, 8, 7, 6, 5, 4, 3, 2, 1].map((n) => [n, n]), 0])
  })

  test('have no more spans together than one answer may have; what is left out is counted', async () => {
    expect(await found(17)).toEqual([
      [
        [9, 9],
        [8, 8],
      ],
      7,
    ])
    expect(await found(16)).toEqual([[[9, 9]], 8])
  })

  test('the first one is there even when it alone is too large, and is cut', async () => {
    const [traces] = (
      await findTraces({ ...deps, limits: { ...deps.limits, maxSpans: 5 } }, 'default', SEARCH, never)
    ).traces
    expect([traces?.spans.length, traces?.isTruncated]).toEqual([5, true])
  })

  test('are no more than asked for, and than a page may have', async () => {
    expect(await found(1000, { ...SEARCH, limit: 2 })).toEqual([
      [
        [9, 9],
        [8, 8],
      ],
      0,
    ])
    const small = { ...deps, limits: { ...deps.limits, maxPageSize: 3 } }
    expect(await findSummaries(small, 'default', SEARCH, never)).toHaveLength(3)
  })
})
