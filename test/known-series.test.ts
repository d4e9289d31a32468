import { createHash } from 'node:crypto'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createKnownSeriesTeller } from '../ingest/series-limit/create-known-series-teller.ts'
import type { KnownSeries } from '../ingest/series-limit/series-limiter.ts'
import { labelsFrom, labelsKey } from '../model/labels.ts'
import { createSampleWriter } from '../query/metrics/create-sample-writer.ts'
import { AppError } from '../runtime/errors.ts'
import { type OpenQueryDeps, openQueryDeps } from './support/open-query-deps.ts'

/** A Sunday, with which a week of the index begins. */
const NOW = Date.UTC(2026, 0, 4, 4)
const DAY = 86_400_000

let deps: OpenQueryDeps
beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW })
  const sample = (name: string, job: string, ageMs: number) => ({
    labels: labelsFrom([
      ['__name__', name],
      ['job', job],
    ]),
    timestampMs: NOW - ageMs,
    value: 1,
  })
  const writer = createSampleWriter(deps.storage)
  await writer.write(
    'a',
    [sample('up', '1', 0), sample('up', '1', DAY), sample('up', '2', DAY), sample('down', '1', 0)],
    '1',
  )
  await writer.write('a', [sample('up', 'old', 2 * DAY)], '2')
  await writer.write('b', [sample('up', '9', 0)], '3')
})
afterAll(() => deps.close())

function idOf(name: string, job: string): bigint {
  const key = labelsKey(['__name__', name, 'job', job])
  return createHash('sha256').update(key).digest().readBigUInt64LE(0)
}

function shown({ metrics, ends, ids }: KnownSeries): Record<string, bigint[]> {
  const lists = metrics.map((metric, index) => {
    const from = index === 0 ? 0 : ends[index - 1]
    return [metric, [...ids.slice(from, ends[index])].sort()] as const
  })
  return Object.fromEntries(lists)
}

test('tells the series of today and yesterday when ClickHouse has them, and not before', async () => {
  const told: KnownSeries[] = []
  let isLoaded = false
  let failures = 2
  let asked = 0
  const teller = createKnownSeriesTeller({
    storage: {
      selectColumns: (question) => {
        asked++
        if (failures-- > 0) throw new AppError('STORAGE_UNAVAILABLE', 'Cannot ask: away')
        return deps.storage.selectColumns(question)
      },
    },
    clock: deps.clock,
    logger: pino({ level: 'silent' }),
    isLoaded: () => isLoaded,
    tell: (known) => void told.push(known),
    retryMs: 1,
  })
  teller.ask('a')
  expect(asked).toBe(0)
  isLoaded = true
  await expect.poll(() => told.length).toBe(1)
  expect(asked).toBe(3)
  expect(told[0]?.tenant).toBe('a')
  expect(shown(told[0] as KnownSeries)).toEqual({
    up: [idOf('up', '1'), idOf('up', '2')].sort(),
    down: [idOf('down', '1')],
  })
  teller.close()
})

test('tells nothing once it is closed', async () => {
  const told: KnownSeries[] = []
  let isLoaded = false
  let looks = 0
  const teller = createKnownSeriesTeller({
    storage: deps.storage,
    clock: deps.clock,
    logger: pino({ level: 'silent' }),
    isLoaded: () => {
      looks++
      return isLoaded
    },
    tell: (known) => void told.push(known),
    retryMs: 1,
  })
  teller.ask('b')
  await expect.poll(() => looks).toBeGreaterThan(1)
  teller.close()
  isLoaded = true
  const before = looks
  await deps.storage.ping()
  expect(looks).toBe(before)
  expect(told).toEqual([])
})
