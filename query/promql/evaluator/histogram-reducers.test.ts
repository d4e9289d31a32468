import { describe, expect, test } from 'vitest'
import {
  CUSTOM_BUCKETS_SCHEMA,
  EMPTY_HISTOGRAM,
  type FloatHistogram,
} from '../../../model/float-histogram.ts'
import { compactHistogram } from '../../../model/histogram/compact-histogram.ts'
import { createHistogramMean } from '../../../model/histogram/histogram-mean.ts'
import { createHistogramSum } from '../../../model/histogram/histogram-sum.ts'
import { labelsFrom, labelValue } from '../../../model/labels.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { seededRandom } from '../../../test/support/seeded-random.ts'
import { createQueryEngine } from '../create-query-engine.ts'
import { createMemorySeriesSource } from '../memory-series-source.ts'
import type { MatrixSeries, QueryResult } from '../query-engine.ts'

const random = seededRandom(71)
const GROUPS = ['numbers', 'histograms', 'mixed', 'kinds', 'bounds'] as const
const MINUTES = 40

type Value = number | FloatHistogram

function exponential(): FloatHistogram {
  const positiveBuckets = [random.below(9), random.below(9)]
  return {
    ...EMPTY_HISTOGRAM,
    schema: random.below(3),
    count: positiveBuckets.reduce((sum, count) => sum + count, 0),
    sum: random.below(99),
    positiveSpans: [{ offset: random.below(3), length: 2 }],
    positiveBuckets,
  }
}

function custom(): FloatHistogram {
  return {
    ...exponential(),
    schema: CUSTOM_BUCKETS_SCHEMA,
    positiveSpans: [{ offset: 0, length: 2 }],
    customValues: random.pick([
      [1, 2],
      [1, 2, 4],
    ]),
  }
}

function anyValue(group: (typeof GROUPS)[number]): Value {
  if (group === 'numbers' || (group === 'mixed' && random.below(3) === 0)) return random.below(100)
  if (group === 'bounds' || (group === 'kinds' && random.below(4) === 0)) return custom()
  return exponential()
}

const source = createMemorySeriesSource()
for (const group of GROUPS) {
  for (let member = 0; member < 5; member += 1) {
    const labels = labelsFrom([
      ['__name__', 'm'],
      ['group', group],
      ['member', String(member)],
    ])
    for (let minute = 0; minute < MINUTES; minute += 1) {
      if (random.below(3) === 0) continue
      const value = anyValue(group)
      if (typeof value === 'number') source.append(labels, minute * 60_000, value)
      else source.appendHistogram(labels, minute * 60_000, value)
    }
  }
}
const engine = createQueryEngine({ source, clock: systemClock })

async function ask(expr: string): Promise<QueryResult & { readonly matrix: readonly MatrixSeries[] }> {
  const endMs = (MINUTES - 1) * 60_000
  const result = await engine.range({ tenant: 't', expr, startMs: 0, endMs, stepMs: 60_000 })
  if (result.type !== 'matrix') throw new Error(`${expr} gives a ${result.type}`)
  return result
}

/** What a series has at each moment. */
function valuesOf({ timestamps, values, histograms }: MatrixSeries): Map<number, Value> {
  return new Map(
    Array.from(timestamps, (timeMs, i) => [timeMs, histograms?.[i] ?? (values[i] as number)] as const),
  )
}

function combined(op: string, members: readonly Value[]): Value | null {
  const numbers = members.filter((one) => typeof one === 'number')
  const histograms = members.filter((one) => typeof one !== 'number')
  const total = numbers.reduce((sum, one) => sum + one, 0)
  switch (op) {
    case 'count':
      return members.length
    case 'group':
      return 1
    case 'max':
      return numbers.length === 0 ? null : Math.max(...numbers)
  }
  if (histograms.length === 0) return op === 'sum' ? total : total / numbers.length
  if (numbers.length > 0) return null
  const sum = op === 'sum' ? createHistogramSum() : createHistogramMean()
  if (!histograms.every((one) => sum.add(one))) return null
  const result = sum.result()
  return result === null ? null : compactHistogram(result)
}

describe('aggregations of a range function whose values are numbers and native histograms', () => {
  test.each(['sum', 'avg', 'count', 'group', 'max'])(
    '%s is that of the values of each moment',
    async (op) => {
      const each = await ask('last_over_time(m[1m])')
      const expected = new Map<string, Map<number, Value>>()
      for (const group of GROUPS) {
        const members = each.matrix
          .filter(({ labels }) => labelValue(labels, 'group') === group)
          .map(valuesOf)
        const own = new Map<number, Value>()
        for (let minute = 0; minute < MINUTES; minute += 1) {
          const there = members.flatMap((values) => values.get(minute * 60_000) ?? [])
          const value = there.length === 0 ? null : combined(op, there)
          if (value !== null) own.set(minute * 60_000, value)
        }
        if (own.size > 0) expected.set(group, own)
      }
      const found = await ask(`${op} by (group) (last_over_time(m[1m]))`)
      const groups = new Map(
        found.matrix.map((series) => [labelValue(series.labels, 'group'), valuesOf(series)]),
      )
      expect(groups).toEqual(expected)
      // What is told does not depend on whether the values are kept first.
      const kept = await ask(`${op} by (group) (last_over_time(m[1m]) or last_over_time(m[1m]))`)
      const texts = ({ warnings, infos }: QueryResult) =>
        [...warnings, ...infos].map((text) => text.replace(/ \(\d+:\d+\)$/, ''))
      expect(texts(found)).toEqual(texts(kept))
      expect(found.matrix).toEqual(kept.matrix)
    },
  )
})
