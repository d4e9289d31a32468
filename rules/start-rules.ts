import type { Registry } from 'prom-client'
import type { AlertNotice } from '../model/alert.ts'
import type { Labels } from '../model/labels.ts'
import { createSampleWriter } from '../query/metrics/create-sample-writer.ts'
import type { QueryEngine } from '../query/promql/query-engine.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Storage } from '../storage/storage.ts'
import { createAlertStore } from './alert-store.ts'
import type { RulesConfig } from './config.ts'
import { createGroupRunner, type GroupRunner, type GroupRunnerDeps } from './create-group-runner.ts'
import { requireRules } from './files/load-rule-files.ts'
import { ruleProblemText } from './files/rule-problem.ts'
import { ownerless, restoreAlerts } from './restore-alerts.ts'
import { groupKey, type RuleGroup } from './rule-group.ts'
import type { GroupState } from './rule-state.ts'
import { createRuleWindows } from './rule-window.ts'
import { createRulesMetrics } from './rules-metrics.ts'
import { type GroupLoop, runGroupLoop, type StartTimer } from './run-group-loop.ts'
import { createSampleRecorder } from './sample-recorder.ts'

/** What rules are run with. */
export interface RulesOptions {
  readonly engine: QueryEngine
  readonly storage: Storage
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  readonly config: RulesConfig
  /** Whose rules they are. */
  readonly tenant: string
  /** Takes alerts that fire or have ended, again and again while they do (Prometheus' resending). */
  readonly onAlerts: (notices: readonly AlertNotice[]) => void | Promise<void>
  /** Our address as users reach it, without a trailing slash. */
  readonly externalUrl: string
  /** Labels that templates see as `$externalLabels`. */
  readonly externalLabels?: Labels
  /** How often a firing alert is told again, milliseconds; default one minute. */
  readonly resendDelayMs?: number
  /** Where relative names of rule files begin; default: the working directory. */
  readonly baseDir?: string
  /** Default: real timers. */
  readonly startTimer?: StartTimer
}

/** Rules that run. */
export interface Rules {
  /** Groups, rules and alerts as they are now. */
  state(): readonly GroupState[]
  /**
   * Reads the files again. Groups that are the same go on; others take over the alerts of rules of the same name and labels. Throws AppError
   * INVALID_ARGUMENT when a file is bad; then everything stays as it was.
   */
  reload(): Promise<void>
  /** Stops. What was recorded is written. */
  close(): Promise<void>
}

const RESEND_DELAY_MS = 60_000

interface RunningGroup {
  readonly runner: GroupRunner
  readonly loop: GroupLoop
}

/**
 * Reads the rules, restores the alerts of before and evaluates every group at its slots. Throws AppError INVALID_ARGUMENT when a rule file
 * is bad, and what storage throws.
 */
export async function startRules(options: RulesOptions): Promise<Rules> {
  const { config, clock, logger, storage, tenant } = options
  const groups = load(options)
  let recordedSince = recordedNames(groups, new Map(), clock.now())
  const store = createAlertStore(storage)
  const kept = await store.load(tenant)
  await store.save(tenant, ownerless(kept, groups, clock.now()))
  const restored = restoreAlerts(kept, clock.now())
  const running = new Map<string, RunningGroup>()
  const states = () => [...running.values()].map(({ runner }) => runner.state())
  const metrics = createRulesMetrics(options.registry, () => countAlerts(states()))
  const recorder = createSampleRecorder({
    tenant,
    write: createSampleWriter(storage).write,
    ownSince: (metric) => recordedSince.get(metric) ?? null,
    logger,
    onDropped: (samples) => metrics.dropSamples(samples),
  })

  const start = (
    group: RuleGroup,
    windowOf: GroupRunnerDeps['windowOf'],
    prepare: (runner: GroupRunner) => void,
  ) => {
    const runner = createGroupRunner({
      group,
      intervalMs: group.intervalMs ?? config.evaluationInterval,
      queryOffsetMs: group.queryOffsetMs ?? config.queryOffset,
      deps: {
        engine: options.engine,
        tenant,
        clock,
        logger,
        recorder,
        saveAlerts: (alerts) => store.save(tenant, alerts),
        onAlerts: options.onAlerts,
        externalLabels: options.externalLabels ?? [],
        externalUrl: options.externalUrl,
        resendDelayMs: options.resendDelayMs ?? RESEND_DELAY_MS,
        windowOf,
        onEvaluated: metrics.observeEvaluation,
      },
    })
    prepare(runner)
    const loop = runGroupLoop({
      runner,
      clock,
      startTimer: options.startTimer ?? realTimer,
      onIteration: (missed) => metrics.observeIteration(runner.state(), missed),
    })
    running.set(groupKey(group), { runner, loop })
    return runner
  }

  const windowOf = createRuleWindows(groups)
  for (const group of groups) {
    start(group, windowOf, (runner) => runner.restore(restored.get(groupKey(group)) ?? new Map()))
  }

  const reload = async (): Promise<void> => {
    const wanted = load(options)
    const windows = createRuleWindows(wanted)
    const keys = new Set(wanted.map(groupKey))
    recordedSince = recordedNames(wanted, recordedSince, clock.now())
    for (const [key, { runner, loop }] of [...running]) {
      if (keys.has(key)) continue
      await loop.stop()
      await runner.end(clock.now())
      running.delete(key)
    }
    for (const group of wanted) {
      const old = running.get(groupKey(group))
      if (old !== undefined && JSON.stringify(old.runner.group) === JSON.stringify(group)) continue
      await old?.loop.stop()
      const runner = start(group, windows, (fresh) => {
        if (old !== undefined) fresh.adopt(old.runner)
      })
      await old?.runner.end(clock.now(), new Set(runner.memory().keys()))
    }
    await recorder.flush()
  }

  return {
    state: states,
    reload,
    async close() {
      await Promise.all([...running.values()].map(({ loop }) => loop.stop()))
      await recorder.flush()
    },
  }
}

function load({ config, logger, baseDir }: RulesOptions): readonly RuleGroup[] {
  const where = baseDir === undefined ? {} : { baseDir }
  const loaded = requireRules({ files: config.files, packs: config.packs, ...where })
  for (const problem of loaded.problems)
    logger.warn({ event: 'rule-file', problem: ruleProblemText(problem) })
  const rules = loaded.groups.reduce((sum, group) => sum + group.rules.length, 0)
  logger.info({ event: 'rules-loaded', sources: loaded.sources, groups: loaded.groups.length, rules })
  return loaded.groups
}

/** The metrics that recording rules make, and since when: those of before since then, others since now. */
function recordedNames(
  groups: readonly RuleGroup[],
  before: ReadonlyMap<string, number>,
  nowMs: number,
): ReadonlyMap<string, number> {
  const rules = groups.flatMap((group) => group.rules).filter(({ kind }) => kind === 'recording')
  return new Map(rules.map(({ name }) => [name, before.get(name) ?? nowMs]))
}

function countAlerts(states: readonly GroupState[]): ReadonlyMap<'pending' | 'firing', number> {
  const counts = new Map<'pending' | 'firing', number>([
    ['pending', 0],
    ['firing', 0],
  ])
  for (const { state } of states.flatMap(({ rules }) => rules.flatMap(({ alerts }) => alerts))) {
    if (state !== 'inactive') counts.set(state, (counts.get(state) ?? 0) + 1)
  }
  return counts
}

function realTimer(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}
