import type { SeededRandom } from '../support/seeded-random.ts'
import {
  ARITHMETIC,
  COMPARISONS,
  COUNTER_FUNCTIONS,
  DATES,
  GAUGE_FUNCTIONS,
  LABELS,
  MATH,
  NUMBERS,
  OFFSETS,
  OVER_TIME,
  POSITIVE,
  QUANTILES,
  RANGES,
  SETS,
  SIMPLE_AGGREGATIONS,
  TRIGONOMETRY,
} from './expression-words.ts'
import { generateMistake } from './generate-mistake.ts'
import type { JudgedMetric } from './judged-metrics.ts'
import type { JudgedRange } from './judged-series.ts'

/** An expression and what is known of its value. */
interface Shaped {
  readonly text: string
  /** Labels that tell its series apart; the name is not among them. */
  readonly labels: readonly string[]
  /** No two of its values are equal, and none is NaN: `topk` has one answer only. */
  readonly isDistinct?: boolean
  /** An operand that needs no parentheses. */
  readonly isAtom?: boolean
}

/** What a generator draws from. */
export interface GeneratorOptions {
  readonly random: SeededRandom
  /** Where the series stand in time. */
  readonly range: JudgedRange
  /** The milliseconds of every second at which a window may begin or end: no sample is there. */
  readonly boundMs: number
  /** Whether there are subqueries. Their points stand at whole seconds: no sample may be there. */
  readonly hasSubqueries: boolean
  readonly metrics: readonly JudgedMetric[]
  /** For an instant query: range vectors and strings may come out too. */
  readonly isInstant: boolean
}

/**
 * A PromQL expression over `judgedSeries`, in the grammar that Prometheus 2.42 and 3 share: every operator, aggregation and function of 2.42, put
 * together so that most have an answer that is not empty; some are errors.
 */
export function generateExpression(options: GeneratorOptions): string {
  const { random, isInstant } = options
  const generator = createGenerator(options)
  const depth = 1 + random.below(4)
  const kind = random.below(40)
  if (isInstant && kind === 0) return random.pick(['"a string"', "'it''s'", '`raw \\d`', '"\\u00fc\\n"'])
  if (isInstant && kind < 4) return generator.matrix(depth, 'any').text
  if (kind < 7) return generator.scalar(depth)
  if (kind < 9) return generateMistake(random, generator.vector(depth - 1).text)
  return generator.vector(depth).text
}

function createGenerator({ random, range, boundMs, hasSubqueries, metrics }: GeneratorOptions) {
  const chance = (one: number) => random.below(one) === 0

  /** ` offset 5m`, ` @ 1600000000.005`, both or, mostly, nothing.  */
  const shift = (): string => {
    const offset = chance(5) ? ` offset ${random.pick(OFFSETS)}` : ''
    if (!chance(7)) return offset
    const minutes = random.below((range.endMs - range.startMs) / 60_000)
    const seconds = 60 * minutes + random.below(60)
    const at = (range.startMs / 1000 + seconds + boundMs / 1000).toFixed(3)
    const modifier = random.pick([` @ ${at}`, ` @ ${at}`, ' @ start()', ' @ end()'])
    return chance(2) ? offset + modifier : modifier + offset
  }

  const metric = (isGood: (metric: JudgedMetric) => boolean = () => true): JudgedMetric =>
    random.pick(metrics.filter(isGood))

  /** A selector without range and shift. */
  const plainSelector = (of: JudgedMetric): Shaped => {
    const matchers = of.matchers.filter(() => chance(of.matchers.length)).slice(0, 3)
    const name = chance(12) ? '' : of.name
    const conditions = [...(name === '' ? [`__name__="${of.name}"`] : []), ...matchers].join(
      chance(2) ? ',' : ', ',
    )
    const text = conditions === '' ? (chance(8) ? `${name}{}` : name) : `${name}{${conditions}}`
    return { text, labels: of.labels, isDistinct: of.kind === 'gauge', isAtom: true }
  }

  const selector = (): Shaped => {
    if (chance(25)) {
      const text = random.pick([
        '{__name__=~"up|queue_length",job="api"}',
        '{job="api",instance=~"a.*"}',
        '{__name__=~"latency_seconds_(sum|count)"}',
        '{__name__!~"weird|latency.*|requests.*",job!=""}',
        '{kind!=""}',
        'no_such_metric',
      ])
      return { text: text + shift(), labels: ['job', 'instance', '__name__'], isAtom: true }
    }
    const plain = plainSelector(metric())
    return { ...plain, text: plain.text + shift() }
  }

  const matrix = (depth: number, of: 'counter' | 'gauge' | 'any'): Shaped => {
    if (hasSubqueries && depth > 0 && chance(4)) return subquery(depth, of)
    const plain = plainSelector(
      metric(({ kind }) => of === 'any' || kind === of || (of === 'counter' && kind === 'bucket')),
    )
    return { text: `${plain.text}[${random.pick(RANGES)}]${shift()}`, labels: plain.labels }
  }

  // Windows of subqueries have 3 ms beyond the whole, so that no point of an inner one stands on a bound.
  const subquery = (depth: number, of: 'counter' | 'gauge' | 'any'): Shaped => {
    const inner =
      of === 'counter' ? plainSelector(metric(({ kind }) => kind === 'counter')) : vector(depth - 1)
    const length = random.pick(['1m', '4m', '5m', '10m', '20m'])
    const step = random.pick(['', '15s', '30s', '1m', '2m', '35s', '7s'])
    return { text: `${operand(inner)}[${length}3ms:${step}]${shift()}`, labels: inner.labels }
  }

  const operand = (inner: Shaped): string => (inner.isAtom === true ? inner.text : `(${inner.text})`)

  const scalar = (depth: number): string => {
    if (depth <= 0 || chance(2)) return random.pick(NUMBERS)
    switch (random.below(8)) {
      case 0:
        return 'time()'
      case 1:
        return 'pi()'
      case 2:
      case 3:
        return `scalar(${vector(depth - 1).text})`
      case 4:
        return `-(${scalar(depth - 1)})`
      case 5:
        return `${scalarOperand(depth - 1)} ${random.pick(COMPARISONS)} bool ${scalarOperand(depth - 1)}`
      default:
        return `${scalarOperand(depth - 1)} ${random.pick([...ARITHMETIC, 'atan2'])} ${scalarOperand(depth - 1)}`
    }
  }
  const scalarOperand = (depth: number): string => {
    const text = scalar(depth)
    return /^[-\w.]+(\(\))?$/.test(text) && !text.startsWith('-') ? text : `(${text})`
  }

  const vector = (depth: number): Shaped => {
    if (depth <= 0) return selector()
    switch (random.below(16)) {
      case 0:
        return selector()
      case 1:
      case 2:
      case 3:
        return rangeCall(depth)
      case 4:
      case 5:
      case 6:
        return aggregation(depth)
      case 7:
      case 8:
        return withScalar(depth)
      case 9:
      case 10:
        return withVector(depth)
      case 11:
        return ofSets(depth)
      case 12:
      case 13:
        return call(depth)
      case 14:
        return ofLabels(depth)
      default:
        return histogram(depth)
    }
  }

  const rangeCall = (depth: number): Shaped => {
    const made = (name: string, inner: Shaped, before = '', after = ''): Shaped => ({
      text: `${name}(${before}${inner.text}${after})`,
      labels: inner.labels,
      isAtom: true,
    })
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
        return made(random.pick(COUNTER_FUNCTIONS), matrix(depth - 1, 'counter'))
      case 3:
      case 4:
        return made(random.pick(GAUGE_FUNCTIONS), matrix(depth - 1, chance(3) ? 'any' : 'gauge'))
      case 5:
        return made('quantile_over_time', matrix(depth - 1, 'any'), `${random.pick(QUANTILES)}, `)
      case 6:
        return made(
          'predict_linear',
          matrix(depth - 1, 'gauge'),
          '',
          `, ${random.pick(['60', '-30', '3600', '0', '1.5'])}`,
        )
      case 7:
        if (chance(2))
          return { text: `absent_over_time(${matrix(depth - 1, 'any').text})`, labels: [], isAtom: true }
        return made(
          'double_exponential_smoothing',
          matrix(depth - 1, 'gauge'),
          '',
          `, ${random.pick(['0.1', '0.5', '0.9'])}, ${random.pick(['0.1', '0.5', '0.8'])}`,
        )
      default:
        return made(`${random.pick(OVER_TIME)}_over_time`, matrix(depth - 1, 'any'))
    }
  }

  const grouped = (inner: Shaped): { readonly clause: string; readonly labels: readonly string[] } => {
    const some = inner.labels.filter(() => chance(2))
    if (chance(4)) return { clause: '', labels: [] }
    if (chance(3)) {
      const away = chance(6) ? [...some, random.pick(LABELS)] : some
      return {
        clause: ` without (${away.join(', ')}) `,
        labels: inner.labels.filter((label) => !away.includes(label)),
      }
    }
    const kept = chance(6) ? [...some, random.pick(LABELS)] : some
    return { clause: ` by (${kept.join(chance(2) ? ',' : ', ')}) `, labels: kept }
  }

  const aggregation = (depth: number): Shaped => {
    const inner = vector(depth - 1)
    const { clause, labels } = grouped(inner)
    const put = (op: string, args: string): string =>
      clause !== '' && chance(2) ? `${op}(${args})${clause.trimEnd()}` : `${op}${clause}(${args})`
    switch (random.below(10)) {
      case 0: {
        // Which of equal values comes first is nobody's promise: where values may be equal only their number or sum is looked at.
        const op = random.pick(['topk', 'bottomk'])
        const text = put(op, `${random.pick(['1', '2', '3', '5', '0', '-1', '2.7'])}, ${inner.text}`)
        if (inner.isDistinct === true) return { text, labels: inner.labels, isDistinct: true, isAtom: true }
        return {
          text: `${random.pick(['count', 'group', 'max', 'min', 'count'])}(${text})`,
          labels: [],
          isAtom: true,
        }
      }
      case 1:
        return { text: put('quantile', `${random.pick(QUANTILES)}, ${inner.text}`), labels, isAtom: true }
      case 2: {
        const label = random.pick(['value', 'v', 'job'])
        // Values become labels, so they must be equal to the last digit.
        const exact = plainSelector(metric(({ kind }) => kind === 'count' || kind === 'odd')).text
        const counted = chance(2) ? exact : `round(${inner.text})`
        return {
          text: put('count_values', `"${label}", ${counted}`),
          labels: [...labels, label],
          isAtom: true,
        }
      }
      default:
        return { text: put(random.pick(SIMPLE_AGGREGATIONS), inner.text), labels, isAtom: true }
    }
  }

  const withScalar = (depth: number): Shaped => {
    const inner = vector(depth - 1)
    const value = chance(4) ? scalarOperand(1) : random.pick(NUMBERS)
    const side = operand(inner)
    const { labels } = inner
    if (chance(3)) {
      const op = random.pick(COMPARISONS) + (chance(3) ? ' bool' : '')
      return { text: chance(4) ? `${value} ${op} ${side}` : `${side} ${op} ${value}`, labels }
    }
    if (chance(6)) return { text: `-${side}`, labels }
    // Version 2.42 keeps the name of what `atan2` is applied to: it gets operands that have none.
    if (chance(7)) {
      const nameless = `abs(${inner.text})`
      return { text: chance(2) ? `${nameless} atan2 ${value}` : `(${value}) atan2 ${nameless}`, labels }
    }
    const op = random.pick(ARITHMETIC)
    return {
      text: chance(3)
        ? `${value.startsWith('-') ? `(${value})` : value} ${op} ${side}`
        : `${side} ${op} ${value}`,
      labels,
    }
  }

  const operator = (): { readonly op: string } => ({
    op: chance(3) ? random.pick(COMPARISONS) + (chance(3) ? ' bool' : '') : random.pick(ARITHMETIC),
  })

  const withVector = (depth: number): Shaped => {
    const left = vector(depth - 1)
    const { op } = operator()
    if (chance(3)) {
      // The same series in another time or seen in another way.
      const again = chance(2) ? left.text : `${random.pick(['abs', 'ceil', 'sgn'])}(${left.text})`
      return { text: `${operand(left)} ${op} (${again})`, labels: left.labels }
    }
    const right = vector(depth - 1)
    const common = left.labels.filter((label) => right.labels.includes(label) && label !== '__name__')
    if (chance(12)) {
      return { text: `sgn(${left.text}) atan2 on(${common.join(', ')}) abs(${right.text})`, labels: common }
    }
    if (common.length === 0 || chance(12)) {
      const on = random.pick([
        '',
        'on() ',
        `on(${random.pick(LABELS)}) `,
        `ignoring(${random.pick(LABELS)}) `,
      ])
      return { text: `${operand(left)} ${op} ${on}${operand(right)}`, labels: left.labels }
    }
    const by = common.filter(() => !chance(4))
    const aggregate = random.pick(['sum', 'max', 'avg', 'min'])
    const one = `${aggregate} by (${by.join(', ')}) (${right.text})`
    if (chance(4)) {
      return { text: `${aggregate} by (${by.join(', ')}) (${left.text}) ${op} ${one}`, labels: by }
    }
    const copied = random.pick(['', '', '', by.includes('job') ? '' : 'job', 'absent_label'])
    const group = (side: string) => `on (${by.join(', ')}) group_${side} (${copied})`
    return chance(2)
      ? { text: `${operand(left)} ${op} ${group('left')} ${one}`, labels: left.labels }
      : { text: `${one} ${op} ${group('right')} ${operand(left)}`, labels: left.labels }
  }

  const ofSets = (depth: number): Shaped => {
    const left = vector(depth - 1)
    const right = vector(depth - 1)
    const common = left.labels.filter((label) => right.labels.includes(label))
    const on = random.pick([
      '',
      '',
      `on(${common.filter(() => chance(2)).join(', ')}) `,
      `ignoring(${random.pick(LABELS)}) `,
    ])
    return { text: `${operand(left)} ${random.pick(SETS)} ${on}${operand(right)}`, labels: left.labels }
  }

  const call = (depth: number): Shaped => {
    const inner = vector(depth - 1)
    const { labels } = inner
    const made = (text: string, of: readonly string[] = labels): Shaped => ({
      text,
      labels: of,
      isAtom: true,
    })
    switch (random.below(11)) {
      case 0:
        return made(`timestamp(${chance(2) ? selector().text : inner.text})`)
      case 1:
        return made(
          chance(3)
            ? `${random.pick(DATES)}()`
            : `${random.pick(DATES)}(${chance(2) ? 'timestamp' : ''}(${inner.text}))`,
        )
      case 2:
        return made(`round(${inner.text}${chance(2) ? '' : `, ${random.pick(POSITIVE)}`})`)
      case 3:
        return made(`clamp(${inner.text}, ${random.pick(NUMBERS)}, ${random.pick(NUMBERS)})`)
      case 4:
        return made(`clamp_${random.pick(['min', 'max'])}(${inner.text}, ${scalar(1)})`)
      case 5:
        return made(`absent(${inner.text})`, [])
      case 6:
        return made(`${random.pick(['sort', 'sort_desc'])}(${inner.text})`)
      case 7:
        return made(`vector(${scalar(depth - 1)})`, [])
      case 8:
        return made(`${random.pick(TRIGONOMETRY)}(${inner.text})`)
      default:
        return made(`${random.pick(MATH)}(${inner.text})`)
    }
  }

  const ofLabels = (depth: number): Shaped => {
    const inner = vector(depth - 1)
    const from = inner.labels.length > 0 && !chance(6) ? random.pick(inner.labels) : random.pick(LABELS)
    const to = random.pick(['copy', 'copy', 'copy', 'job', from, '__name__'])
    if (chance(3)) {
      const names = [from, random.pick(LABELS)].filter(() => !chance(4)).map((name) => `, "${name}"`)
      return {
        text: `label_join(${inner.text}, "${to}", "${random.pick(['-', '', ', '])}"${names.join('')})`,
        labels: [...inner.labels, to],
        isAtom: true,
      }
    }
    const [pattern, replacement] = random.pick([
      ['(.*)', '$1'],
      ['(.*)', 'x-$1-y'],
      ['([a-z]+).*', '$' + '{1}!'],
      ['(?P<first>.).*', '$first'],
      ['nothing', 'z'],
      ['.*', ''],
      ['', 'empty'],
      ['(.)(.?).*', '$2$1'],
      ['.+', '$$1 $3'],
    ] as const)
    return {
      text: `label_replace(${inner.text}, "${to}", "${replacement}", "${from}", "${pattern}")`,
      labels: [...inner.labels, to],
      isAtom: true,
    }
  }

  const histogram = (depth: number): Shaped => {
    const buckets = chance(3)
      ? plainSelector(metric(({ kind }) => kind === 'bucket')).text
      : `rate(latency_seconds_bucket[${random.pick(RANGES)}]${shift()})`
    const by = random.pick([['job'], ['job', 'instance'], []])
    const summed = chance(3) ? buckets : `sum by (${[...by, 'le'].join(', ')}) (${buckets})`
    const q = depth > 1 && chance(5) ? scalar(1) : random.pick(QUANTILES)
    return { text: `histogram_quantile(${q}, ${summed})`, labels: by, isAtom: true }
  }

  return { vector, scalar, matrix }
}
