import type { AlertNotice } from '../model/alert.ts'
import { type Labels, labelsKey } from '../model/labels.ts'
import type { QueryEngine } from '../query/promql/query-engine.ts'
import type { Clock } from '../runtime/clock.ts'
import { errorMessage } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import { alertChanges } from './alert-changes.ts'
import type { StoredAlert } from './alert-store.ts'
import { activeElements, alertSamples, recordedSamples } from './evaluate-rule.ts'
import { type AlertInstance, type AlertStates, needsSending, nextAlertState } from './next-alert-state.ts'
import { type AlertingRule, groupKey, type Rule, type RuleGroup } from './rule-group.ts'
import { ruleKeys } from './rule-keys.ts'
import type { GroupState, RuleState } from './rule-state.ts'
import type { SampleRecorder } from './sample-recorder.ts'
import { queryVectorAt, type RuleSample } from './templates/query-vector.ts'
import { toAlertNotice } from './to-alert-notice.ts'

/** What all groups are run with. */
export interface GroupRunnerDeps {
  readonly engine: QueryEngine
  readonly tenant: string
  readonly clock: Clock
  readonly logger: Logger
  readonly recorder: SampleRecorder
  /** Keeps states of alerts; may throw, then the same is handed in again. Null: nothing is kept. */
  readonly saveAlerts: ((alerts: readonly StoredAlert[]) => Promise<void>) | null
  /** Tells alerting. What it throws is logged, and the alerts are told again at the next evaluation. */
  readonly onAlerts: (notices: readonly AlertNotice[]) => void | Promise<void>
  readonly externalLabels: Labels
  /** Our address as users reach it, without a trailing slash. */
  readonly externalUrl: string
  /** How often a firing alert is told again, milliseconds. */
  readonly resendDelayMs: number
  /** How far back an expression looks, milliseconds. */
  readonly windowOf: (expr: string) => number
  readonly onEvaluated?: (group: string, rule: Rule, durationMs: number, hasFailed: boolean) => void
}

/** How a group is run. */
export interface GroupRunnerOptions {
  readonly group: RuleGroup
  readonly intervalMs: number
  readonly queryOffsetMs: number
  readonly deps: GroupRunnerDeps
}

/** A group with its state. */
export interface GroupRunner {
  readonly group: RuleGroup
  readonly intervalMs: number
  /** Evaluates all rules, one after the other, as of a time (epoch milliseconds). Not to be called while it runs. Never throws. */
  evaluate(timeMs: number, signal?: AbortSignal): Promise<void>
  /** Counts slots that went by. */
  miss(slots: number): void
  state(): GroupState
  /** Takes over the alerts of rules, by the rules' keys. */
  restore(alerts: ReadonlyMap<string, AlertStates>): void
  /** Takes over what another runner knows of the same rules. */
  adopt(other: GroupRunner): void
  /** What the rules know, by the rules' keys. */
  memory(): ReadonlyMap<string, RuleMemory>
  /** Ends the rules, except those named by their keys: says of their series that they have ended, and forgets their alerts. */
  end(timeMs: number, except?: ReadonlySet<string>): Promise<void>
}

/** What is remembered of a rule from one evaluation to the next. */
export interface RuleMemory {
  alerts: AlertStates
  /** The series of the last evaluation by their keys. */
  series: ReadonlyMap<string, Labels>
  readonly storedAt: Map<string, number>
}

interface RunningRule extends RuleMemory {
  readonly rule: Rule
  readonly key: string
  health: RuleState['health']
  lastError: string | null
  lastEvaluationMs: number | null
  durationMs: number
  elements: number
}

/** States that wait for storage to come back; more than that are not worth keeping, the newest state is written anyway. */
const MAX_UNSAVED = 20_000

/** Makes the runner of a group; nothing runs until it is asked to. */
export function createGroupRunner(options: GroupRunnerOptions): GroupRunner {
  const { group, intervalMs, queryOffsetMs, deps } = options
  const keys = ruleKeys(group.rules)
  const rules = group.rules.map((rule, index): RunningRule => newRule(rule, keys[index] ?? ''))
  let unsaved: StoredAlert[] = []
  let lastEvaluationMs: number | null = null
  let durationMs = 0
  let evaluations = 0
  let missed = 0

  const recordSeries = (running: RunningRule, samples: readonly RuleSample[], timestampMs: number): void => {
    const series = new Map(samples.map(({ labels }) => [labelsKey(labels), labels]))
    const ended = [...running.series].filter(([key]) => !series.has(key)).map(([, labels]) => labels)
    deps.recorder.record([
      ...samples.map((sample) => ({ ...sample, timestampMs, isStale: false })),
      ...ended.map((labels) => ({ labels, timestampMs, value: Number.NaN, isStale: true })),
    ])
    running.series = series
  }

  const evaluateAlerting = async (
    running: RunningRule,
    rule: AlertingRule,
    vector: readonly RuleSample[],
    timeMs: number,
    query: ReturnType<typeof queryVectorAt>,
  ): Promise<readonly RuleSample[]> => {
    const { externalLabels, externalUrl } = deps
    const elements = await activeElements(rule, vector, { nowMs: timeMs, query, externalLabels, externalUrl })
    const next = nextAlertState(running.alerts, elements, rule, timeMs)
    const active = [...next.values()].filter(({ state }) => state !== 'inactive')
    if (group.limit > 0 && active.length > group.limit) {
      running.alerts = new Map()
      throw new Error(`exceeded limit of ${group.limit} with ${active.length} alerts`)
    }
    running.alerts = next
    running.elements = active.length
    return active.flatMap(alertSamples)
  }

  const tellAlerting = async (running: RunningRule, rule: AlertingRule, timeMs: number): Promise<void> => {
    const due = [...running.alerts].filter(([, alert]) => needsSending(alert, timeMs, deps.resendDelayMs))
    if (due.length === 0) return
    const about = {
      tenant: deps.tenant,
      group: group.name,
      rule,
      nowMs: timeMs,
      believedForMs: 4 * Math.max(intervalMs, deps.resendDelayMs),
      externalUrl: deps.externalUrl,
      windowMs: deps.windowOf(rule.expr),
    }
    try {
      await deps.onAlerts(due.map(([, alert]) => toAlertNotice(alert, about)))
    } catch (error) {
      deps.logger.error({ event: 'alerts-not-taken', rule: rule.name, reason: errorMessage(error) })
      return
    }
    const told = due.map(([key, alert]): [string, AlertInstance] => [key, { ...alert, lastSentAtMs: timeMs }])
    running.alerts = new Map([...running.alerts, ...told])
  }

  const evaluateRule = async (running: RunningRule, timeMs: number, signal?: AbortSignal): Promise<void> => {
    const { rule } = running
    const started = deps.clock.monotonic()
    const before = running.alerts
    const queryMs = timeMs - queryOffsetMs
    const { engine, tenant, recorder } = deps
    const ask = { engine, tenant, timeMs: queryMs, overlay: recorder.overlay }
    const query = queryVectorAt(signal === undefined ? ask : { ...ask, signal })
    try {
      const vector = await query(rule.expr)
      const samples =
        rule.kind === 'recording'
          ? recordedSamples(rule, vector, group.limit)
          : await evaluateAlerting(running, rule, vector, timeMs, query)
      if (rule.kind === 'recording') running.elements = samples.length
      recordSeries(running, samples, queryMs)
      running.health = 'ok'
      running.lastError = null
    } catch (error) {
      if (signal?.aborted) return
      // What the rule knew stays as it was: no news is neither good nor bad news.
      if (running.lastError !== errorMessage(error)) {
        deps.logger.warn({
          event: 'rule-failed',
          group: group.name,
          rule: rule.name,
          reason: errorMessage(error),
        })
      }
      running.health = 'err'
      running.lastError = errorMessage(error)
    }
    if (rule.kind === 'alerting') {
      await tellAlerting(running, rule, timeMs)
      const owner = { group: groupKey(group), rule: running.key, alertName: rule.name }
      unsaved.push(...alertChanges(before, running.alerts, owner, timeMs, running.storedAt))
    }
    running.lastEvaluationMs = timeMs
    running.durationMs = deps.clock.monotonic() - started
    deps.onEvaluated?.(groupKey(group), rule, running.durationMs, running.health === 'err')
  }

  const saveAlerts = async (): Promise<void> => {
    if (unsaved.length === 0 || deps.saveAlerts === null) return
    const batch = unsaved
    unsaved = []
    try {
      await deps.saveAlerts(batch)
    } catch (error) {
      deps.logger.warn({ event: 'alert-states-not-saved', group: group.name, reason: errorMessage(error) })
      unsaved = [...batch, ...unsaved].slice(-MAX_UNSAVED)
    }
  }

  return {
    group,
    intervalMs,
    async evaluate(timeMs, signal) {
      const started = deps.clock.monotonic()
      for (const running of rules) {
        if (signal?.aborted) break
        await evaluateRule(running, timeMs, signal)
      }
      await Promise.all([deps.recorder.flush(), saveAlerts()])
      lastEvaluationMs = timeMs
      durationMs = deps.clock.monotonic() - started
      evaluations += 1
    },
    miss(slots) {
      missed += slots
    },
    state: () => ({
      group,
      intervalMs,
      queryOffsetMs,
      lastEvaluationMs,
      durationMs,
      evaluations,
      missed,
      rules: rules.map((running) => ({
        rule: running.rule,
        health: running.health,
        lastError: running.lastError,
        lastEvaluationMs: running.lastEvaluationMs,
        durationMs: running.durationMs,
        elements: running.elements,
        alerts: [...running.alerts.values()],
      })),
    }),
    restore(alerts) {
      for (const running of rules) {
        running.alerts = alerts.get(running.key) ?? running.alerts
        // Their series of before the restart end when they do.
        const samples = [...running.alerts.values()].flatMap(alertSamples)
        running.series = new Map(samples.map(({ labels }) => [labelsKey(labels), labels]))
      }
    },
    adopt(other) {
      const memory = other.memory()
      for (const running of rules) Object.assign(running, memory.get(running.key))
    },
    memory: () =>
      new Map(rules.map(({ key, alerts, series, storedAt }) => [key, { alerts, series, storedAt }])),
    async end(timeMs, except) {
      for (const running of rules) {
        if (except?.has(running.key)) continue
        recordSeries(running, [], timeMs - queryOffsetMs)
        const owner = { group: groupKey(group), rule: running.key, alertName: running.rule.name }
        unsaved.push(...alertChanges(running.alerts, new Map(), owner, timeMs, running.storedAt))
        running.alerts = new Map()
      }
      await saveAlerts()
    },
  }
}

function newRule(rule: Rule, key: string): RunningRule {
  return {
    rule,
    key,
    alerts: new Map(),
    series: new Map(),
    storedAt: new Map(),
    health: 'unknown',
    lastError: null,
    lastEvaluationMs: null,
    durationMs: 0,
    elements: 0,
  }
}
