import type { AlertNotice } from '../../model/alert.ts'
import { formatDuration } from '../../model/duration.ts'
import type { FloatHistogram } from '../../model/float-histogram.ts'
import { histogramTestText } from '../../model/histogram/histogram-test-text.ts'
import { type Labels, labelsFrom, labelsText, quoteText } from '../../model/labels.ts'
import { createQueryEngine } from '../../query/promql/create-query-engine.ts'
import { formatFloat } from '../../query/promql/format-float.ts'
import { createMemorySeriesSource, type MemorySeriesSource } from '../../query/promql/memory-series-source.ts'
import { parseMetric } from '../../query/promql/parse-metric.ts'
import { parseSeries, type SequenceValue } from '../../query/promql/promqltest/parse-series.ts'
import type { QueryEngine } from '../../query/promql/query-engine.ts'
import type { Clock } from '../../runtime/clock.ts'
import { errorMessage } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { createGroupRunner, type GroupRunner } from '../create-group-runner.ts'
import type { RuleGroup } from '../rule-group.ts'
import { createSampleRecorder } from '../sample-recorder.ts'
import { queryVectorAt } from '../templates/query-vector.ts'
import { areEqualAlerts, areEqualSamples, type ExpectedAlert, type TestSample } from './compare-results.ts'
import type { RuleTest, RuleTestFile } from './read-test-file.ts'

/** What a test is run with. */
export interface RuleTestContext {
  /** In the order in which they are evaluated. */
  readonly groups: readonly RuleGroup[]
  readonly file: RuleTestFile
  readonly logger: Logger
}

const TENANT = 'test'

/**
 * Runs one test as promtool does: at every evaluation interval all groups, whatever their own intervals; alerts are compared on the way, expressions
 * at the end. Returns what is not as expected, in promtool's words; empty: the test is passed. An error of a rule ends the test.
 */
export async function runRuleTest(test: RuleTest, context: RuleTestContext): Promise<readonly string[]> {
  const { file, groups } = context
  const stepMs = file.evaluation_interval
  const startMs = test.start_timestamp
  let nowMs = startMs
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs - startMs }
  const source = createMemorySeriesSource()
  let samples: readonly InputSample[]
  try {
    samples = inputSamples(test, test.interval || stepMs)
  } catch (error) {
    return [`    ${errorMessage(error)}`]
  }
  const engine = createQueryEngine({ source, clock, defaultStepMs: stepMs })
  const runners = groups.map((group) => createRunner(group, test, { engine, source, clock, context }))

  const failures: string[] = []
  const alertTests = [...test.alert_rule_test].sort((a, b) => a.eval_time - b.eval_time)
  const lastMs = Math.max(0, ...[...alertTests, ...test.promql_expr_test].map(({ eval_time }) => eval_time))
  let loaded = 0
  for (nowMs = startMs; nowMs <= startMs + lastMs; nowMs += stepMs) {
    loaded = load(source, samples, loaded, nowMs)
    for (const runner of runners) await runner.evaluate(nowMs)
    const errors = runners.flatMap((runner) => ruleErrors(runner, nowMs - startMs))
    if (errors.length > 0) return [...failures, ...errors]
    const due = alertTests.filter(({ eval_time }) => {
      return eval_time >= nowMs - startMs && eval_time < nowMs - startMs + stepMs
    })
    failures.push(...due.flatMap((alertTest) => compareAlerts(alertTest, test.name, runners) ?? []))
  }
  for (const expression of test.promql_expr_test) {
    const failure = await compareExpression(expression, startMs, file.fuzzy_compare, engine)
    if (failure !== null) failures.push(failure)
  }
  return failures
}

interface InputSample {
  readonly labels: Labels
  readonly timestampMs: number
  readonly value: number
  readonly histogram: FloatHistogram | null
  readonly isStale: boolean
}

function inputSamples(test: RuleTest, intervalMs: number): readonly InputSample[] {
  const samples: InputSample[] = []
  for (const { series, values } of test.input_series) {
    const description = parseSeries(`${series} ${values}`)
    for (const [index, value] of description.values.entries()) {
      const sample = sampleOf(value)
      const timestampMs = test.start_timestamp + index * intervalMs
      if (sample !== null) samples.push({ labels: description.labels, timestampMs, ...sample })
    }
  }
  return samples.sort((a, b) => a.timestampMs - b.timestampMs)
}

function sampleOf(value: SequenceValue): Pick<InputSample, 'value' | 'histogram' | 'isStale'> | null {
  switch (value.kind) {
    case 'missing':
      return null
    case 'stale':
      return { value: Number.NaN, histogram: null, isStale: true }
    case 'float':
      return { value: value.value, histogram: null, isStale: false }
    case 'histogram':
      return { value: 0, histogram: value.histogram, isStale: false }
  }
}

function put(
  source: MemorySeriesSource,
  {
    labels,
    timestampMs,
    value,
    histogram,
    isStale,
  }: Omit<InputSample, 'histogram'> & {
    readonly histogram?: FloatHistogram | null
  },
): void {
  if (histogram == null) source.append(labels, timestampMs, value, isStale)
  else source.appendHistogram(labels, timestampMs, histogram)
}

function load(
  source: MemorySeriesSource,
  samples: readonly InputSample[],
  from: number,
  nowMs: number,
): number {
  let at = from
  for (let sample = samples[at]; sample !== undefined && sample.timestampMs <= nowMs; sample = samples[at]) {
    put(source, sample)
    at += 1
  }
  return at
}

interface World {
  readonly engine: QueryEngine
  readonly source: MemorySeriesSource
  readonly clock: Clock
  readonly context: RuleTestContext
}

function createRunner(group: RuleGroup, test: RuleTest, world: World): GroupRunner {
  const { engine, source, clock, context } = world
  const recorder = createSampleRecorder({
    tenant: TENANT,
    write: async (_tenant, samples) => {
      for (const sample of samples) put(source, sample)
    },
    logger: context.logger,
    onDropped: () => {},
  })
  return createGroupRunner({
    group,
    intervalMs: context.file.evaluation_interval,
    queryOffsetMs: group.queryOffsetMs ?? 0,
    deps: {
      engine,
      tenant: TENANT,
      clock,
      logger: context.logger,
      recorder,
      saveAlerts: null,
      onAlerts: (_notices: readonly AlertNotice[]) => {},
      externalLabels: labelsFrom(test.external_labels),
      externalUrl: test.external_url,
      resendDelayMs: 60_000,
      windowOf: () => 0,
    },
  })
}

function ruleErrors(runner: GroupRunner, timeMs: number): readonly string[] {
  return runner.state().rules.flatMap(({ rule, lastError }) => {
    return lastError === null
      ? []
      : `    rule: ${rule.name}, time: ${formatDuration(timeMs)}, err: ${lastError}`
  })
}

function compareAlerts(
  test: RuleTest['alert_rule_test'][number],
  name: string,
  runners: readonly GroupRunner[],
): string | null {
  const { alertname, exp_alerts: expectedAlerts, eval_time: timeMs } = test
  const got = runners
    .flatMap((runner) => runner.state().rules)
    .filter(({ rule }) => rule.kind === 'alerting' && rule.name === alertname)
    .flatMap(({ alerts }) => alerts)
    .filter(({ state }) => state === 'firing')
  const expected = expectedAlerts.map(
    ({ exp_labels, exp_annotations }): ExpectedAlert => ({
      labels: labelsFrom([...exp_labels, ['alertname', alertname]]),
      annotations: labelsFrom(exp_annotations),
    }),
  )
  if (areEqualAlerts(expected, got)) return null
  const title = name === '' ? '' : `    name: ${name},\n`
  const time = formatDuration(timeMs)
  return `${title}    alertname: ${alertname}, time: ${time}, \n        exp:${alertsText(expected)}, \n        got:${alertsText(got)}`
}

async function compareExpression(
  test: RuleTest['promql_expr_test'][number],
  startMs: number,
  isFuzzy: boolean,
  engine: QueryEngine,
): Promise<string | null> {
  const { expr, eval_time: evalMs, exp_samples: expectedSamples } = test
  const where = `    expr: ${quoteText(expr)}, time: ${formatDuration(evalMs)},`
  let got: readonly TestSample[]
  let expected: readonly TestSample[]
  try {
    expected = expectedSamples.map(({ labels, value, histogram }) => {
      const sample = { labels: parseMetric(labels), value }
      return histogram === '' ? sample : { ...sample, histogram: parseOneHistogram(histogram) }
    })
    got = await queryVectorAt({ engine, tenant: TENANT, timeMs: startMs + evalMs })(expr)
  } catch (error) {
    return `${where} err: ${errorMessage(error)}`
  }
  if (areEqualSamples(expected, got, isFuzzy)) return null
  return `${where}\n        exp: ${samplesText(expected)}\n        got: ${samplesText(got)}`
}

/** Reads `{{schema:0 count:1 …}}`. Throws Error. */
function parseOneHistogram(text: string): FloatHistogram {
  const { values } = parseSeries(`{} ${text}`)
  const [value] = values
  if (values.length !== 1 || value?.kind !== 'histogram') {
    throw new Error(`expected 1 native histogram, got ${values.length} values`)
  }
  return value.histogram
}

function alertsText(alerts: readonly ExpectedAlert[]): string {
  if (alerts.length === 0) return '[]'
  const texts = alerts.map(({ labels, annotations }, index) => {
    return `            ${index}:\n              Labels:${labelsText(labels)}\n              Annotations:${labelsText(annotations)}`
  })
  return `[\n${texts.join('\n')}\n            ]`
}

function samplesText(samples: readonly TestSample[]): string {
  if (samples.length === 0) return 'nil'
  return samples
    .map(({ labels, value, histogram }) => {
      return `${labelsText(labels)} ${histogram === undefined ? formatFloat(value) : histogramTestText(histogram)}`
    })
    .join(', ')
}
