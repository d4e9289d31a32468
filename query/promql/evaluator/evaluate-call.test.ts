import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import { createQueryEngine } from '../create-query-engine.ts'
import { FUNCTIONS, type FunctionSignature } from '../functions-table.ts'
import { createMemorySeriesSource } from '../memory-series-source.ts'

const source = createMemorySeriesSource()
for (const at of [0, 10_000, 20_000]) source.append(['__name__', 'a', 'le', '+Inf'], at, at / 1000 + 1)
const engine = createQueryEngine({ source, clock: systemClock })

function callOf({ name, argTypes }: FunctionSignature): string {
  // Its second argument is a set of conditions.
  if (name === 'info') return 'info(a)'
  const examples = { vector: 'a', matrix: 'a[1m]', string: '"x"' }
  const args = argTypes.map((type, index) => (type === 'scalar' ? `0.${index + 1}` : examples[type]))
  return `${name}(${args.join(', ')})`
}

describe('functions', () => {
  test.each([...FUNCTIONS.values()].map(callOf))('%s is there', async (expr) => {
    await expect(engine.instant({ tenant: 't', expr, timeMs: 20_000 })).resolves.toBeDefined()
  })

  test.each<[string, number]>([
    ['year(vector(1709164800))', 2024],
    ['day_of_year(vector(1709164800))', 60],
    ['days_in_month(vector(1709164800))', 29],
    ['days_in_month(vector(-2208988800))', 31],
    ['day_of_month(vector(-1))', 31],
    ['month(vector(-1))', 12],
    ['day_of_week(vector(-86400))', 3],
    ['hour(vector(-3600))', 23],
    ['round(vector(-2.5))', -2],
    ['round(vector(7), 5)', 5],
    ['clamp_min(vector(NaN), Inf)', Number.POSITIVE_INFINITY],
    ['vector(1) ^ NaN', 1],
    ['vector(-1) ^ Inf', 1],
    ['vector(-7) % 3', -1],
  ])('%s is %d', async (expr, expected) => {
    const result = await engine.instant({ tenant: 't', expr, timeMs: 0 })
    expect(result.type === 'vector' && result.vector[0]?.value).toBe(expected)
  })

  test('natural order of labels', async () => {
    const named = createMemorySeriesSource()
    for (const pod of ['p10', 'p9', 'p2-b', 'p2-a']) named.append(['__name__', 'n', 'pod', pod], 0, 1)
    const sorting = createQueryEngine({ source: named, clock: systemClock })
    const order = async (expr: string) => {
      const result = await sorting.instant({ tenant: 't', expr, timeMs: 0 })
      return result.type === 'vector' ? result.vector.map(({ labels }) => labels.at(-1)) : []
    }
    expect(await order('sort_by_label(n, "pod")')).toEqual(['p2-a', 'p2-b', 'p9', 'p10'])
    expect(await order('sort_by_label_desc(n, "pod")')).toEqual(['p10', 'p9', 'p2-b', 'p2-a'])
  })
})
