import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Rule } from './rule-group.ts'
import type { GroupState } from './rule-state.ts'

/** What rules count about themselves. */
export interface RulesMetrics {
  observeEvaluation(group: string, rule: Rule, durationMs: number, hasFailed: boolean): void
  observeIteration(state: GroupState, missed: number): void
  dropSamples(samples: number): void
}

/** Registers `meshwatch_rule_*`; `alerts` gives the alerts now, by state. */
export function createRulesMetrics(
  registry: Registry,
  alerts: () => ReadonlyMap<'pending' | 'firing', number>,
): RulesMetrics {
  const registers = [registry]
  const evaluations = new Counter({
    name: 'meshwatch_rule_evaluations_total',
    help: 'Evaluations of rules.',
    labelNames: ['rule_group'],
    registers,
  })
  const failures = new Counter({
    name: 'meshwatch_rule_evaluation_failures_total',
    help: 'Evaluations of rules that failed.',
    labelNames: ['rule_group'],
    registers,
  })
  const durations = new Histogram({
    name: 'meshwatch_rule_evaluation_duration_seconds',
    help: 'How long evaluations of rules took.',
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  })
  const iterations = new Counter({
    name: 'meshwatch_rule_group_iterations_total',
    help: 'Evaluations of rule groups that were due, missed ones too.',
    labelNames: ['rule_group'],
    registers,
  })
  const missed = new Counter({
    name: 'meshwatch_rule_group_iterations_missed_total',
    help: 'Evaluations of rule groups that were due and did not happen, because the one before took too long or the process slept.',
    labelNames: ['rule_group'],
    registers,
  })
  const lastDuration = new Gauge({
    name: 'meshwatch_rule_group_last_duration_seconds',
    help: 'How long the last evaluation of a rule group took.',
    labelNames: ['rule_group'],
    registers,
  })
  const dropped = new Counter({
    name: 'meshwatch_rule_samples_dropped_total',
    help: 'Recorded samples that were given up because storage was away for too long.',
    registers,
  })
  new Gauge({
    name: 'meshwatch_alerts',
    help: 'Alerts of rules by state.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of alerts()) this.set({ state }, count)
    },
  })
  return {
    observeEvaluation(rule_group, _rule, durationMs, hasFailed) {
      evaluations.inc({ rule_group })
      if (hasFailed) failures.inc({ rule_group })
      durations.observe(durationMs / 1000)
    },
    observeIteration({ group, durationMs }, missedSlots) {
      const rule_group = `${group.file};${group.name}`
      iterations.inc({ rule_group }, 1 + missedSlots)
      if (missedSlots > 0) missed.inc({ rule_group }, missedSlots)
      lastDuration.set({ rule_group }, durationMs / 1000)
    },
    dropSamples(samples) {
      dropped.inc(samples)
    },
  }
}
