import type { SeededRandom } from './seeded-random.ts'

const SELECTORS = [
  'a',
  'b',
  'info',
  'gone',
  'a{x="1"}',
  'b{y="1"}',
  'a{x=~"1|2"}',
  'c_total',
  '{__name__=~"a|b"}',
  'a offset 1m',
  'b @ 330',
]
const ARITHMETIC = ['+', '-', '*', '/', '%']
const COMPARISONS = ['==', '!=', '>', '<', '>=', '<=']
const SETS = ['and', 'or', 'unless']
const LABELS = ['x', 'y', 'z', 'version', '__name__']
const OVER_TIME = [
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'count_over_time',
  'last_over_time',
  'stdvar_over_time',
  'changes',
  'resets',
  'delta',
  'rate',
  'increase',
  'idelta',
  'irate',
  'deriv',
  'present_over_time',
]
const AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev']
const FUNCTIONS = ['abs', 'ceil', 'floor', 'sgn', 'sort', 'timestamp', 'round', 'absent']

/**
 * A query over the series of the test that promtool judges, of type instant vector. Ranges end between samples wherever they stand, which
 * is why subqueries hold no range of their own.
 */
export function randomExpression(random: SeededRandom, depth = 3): string {
  if (depth === 0) return random.pick(SELECTORS)
  const vector = () => randomExpression(random, depth - 1)
  switch (random.below(9)) {
    case 0:
      return random.pick(SELECTORS)
    case 1:
      return `(${vector()}) ${random.pick([...ARITHMETIC, ...COMPARISONS])} ${random.pick(['0', '1', '2.5', '-3'])}`
    case 2:
      return `${random.pick(['1', '4'])} ${random.pick(ARITHMETIC)} (${vector()})`
    case 3: {
      const op = random.pick([...ARITHMETIC, ...COMPARISONS])
      return `(${vector()}) ${op} ${matching(random)}(${vector()})`
    }
    case 4:
      return `(${vector()}) ${random.pick(SETS)} ${random.pick(['', on(random)])}(${vector()})`
    case 5:
      return `${random.pick(AGGREGATIONS)} ${grouping(random)}(${vector()})`
    case 6:
      return `${random.pick(OVER_TIME)}(${random.pick(['a', 'b', 'c_total', 'gone', '{__name__=~"a|c_total"}'])}[${random.pick(['2m', '5m', '9m'])}])`
    case 7:
      return `${random.pick(FUNCTIONS)}(${vector()})`
    default:
      return random.pick([
        // Which of equal values comes first is nobody's promise, so only how many there are is looked at.
        `count(topk ${grouping(random)}(${1 + random.below(3)}, ${vector()}))`,
        `sum(bottomk(1, ${vector()}))`,
        `-(${vector()})`,
        `label_replace(${vector()}, "x", "n$1", "y", "(.)")`,
        `label_join(${vector()}, "z", "-", "x", "y")`,
        `count_values("v", ${vector()})`,
        `clamp_min(${vector()}, 1)`,
        `quantile ${grouping(random)}(0.3, ${vector()})`,
        `${random.pick(['sum_over_time', 'max_over_time', 'last_over_time'])}((${random.pick(['a', 'b', 'a + b', 'a > 2', 'sum by (x) (a)'])})[4m:1m])`,
      ])
  }
}

function on(random: SeededRandom): string {
  const labels = LABELS.filter(() => random.below(3) === 0).join(', ')
  return `${random.pick(['on', 'ignoring'])} (${labels}) `
}

function matching(random: SeededRandom): string {
  const choice = random.below(4)
  if (choice === 0) return ''
  if (choice === 1) return on(random)
  const names = on(random)
  // A label may not be matched and copied.
  const copied = ['w', 'version']
    .filter((label) => random.below(2) === 0 && !names.includes(label))
    .join(', ')
  return `${names}${random.pick(['group_left', 'group_right'])} (${copied}) `
}

function grouping(random: SeededRandom): string {
  if (random.below(3) === 0) return ''
  const labels = LABELS.filter(() => random.below(3) === 0).join(', ')
  return `${random.pick(['by', 'without'])} (${labels}) `
}
