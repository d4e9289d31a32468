import { type Labels, labelPairs, labelsFrom, labelsKey } from '../model/labels.ts'
import type { Storage } from '../storage/storage.ts'
import { ALERT_STATES, ALERT_TRANSITIONS } from '../storage/tables.ts'
import type { AlertInstance } from './next-alert-state.ts'

/** The state of an alert as it is kept. */
export interface StoredAlert {
  /** See `groupKey`. */
  readonly group: string
  /** Identifies the rule in its group. */
  readonly rule: string
  /** The rule's name, for people who read the history. */
  readonly alertName: string
  readonly alert: AlertInstance
  /** The alert is no longer known to its rule: a pending one whose condition went, or an ended one that was told about. */
  readonly isGone: boolean
  /** What it was before; null when only its times changed. */
  readonly from: AlertInstance['state'] | 'none' | null
  /** The evaluation that this is about, epoch milliseconds. */
  readonly atMs: number
}

/** An alert read back. */
export type RestoredAlert = Pick<StoredAlert, 'group' | 'rule' | 'alert' | 'atMs'>

/** Where the states of alerts are kept over restarts. */
export interface AlertStore {
  /** The alerts that were there last, newest state of each. Throws what {@link Storage.select} throws. */
  load(tenant: string): Promise<readonly RestoredAlert[]>
  /** Keeps states, and transitions for the history. Repeating it changes nothing but the history. Throws what {@link Storage.command} throws. */
  save(tenant: string, alerts: readonly StoredAlert[]): Promise<void>
}

/** Rows of one statement: parameters travel in a URL when ClickHouse is a server. */
const BATCH_ROWS = 100

/** Keeps the states of alerts in ClickHouse. */
export function createAlertStore(storage: Storage): AlertStore {
  // The newest row of an alert counts, also after the clock went back.
  let newestMs = 0
  return {
    load: async (tenant) => {
      const rows = await storage.select<StateRow>({ name: 'rules.load-alerts', tenant, sql: LOAD })
      const alerts = rows.map(fromRow)
      for (const { atMs } of alerts) newestMs = Math.max(newestMs, atMs)
      return alerts
    },
    save: async (tenant, alerts) => {
      for (let at = 0; at < alerts.length; at += BATCH_ROWS) {
        const batch = alerts.slice(at, at + BATCH_ROWS)
        for (const { atMs } of batch) newestMs = Math.max(newestMs, atMs)
        await storage.command(SAVE_STATES, {
          tenant,
          ...parameters(batch),
          ats: batch.map(({ atMs }) => Math.max(atMs, newestMs)),
        })
        const transitions = batch.filter(({ from }) => from !== null)
        if (transitions.length === 0) continue
        await storage.command(SAVE_TRANSITIONS, { tenant, ...parameters(transitions) })
      }
    },
  }
}

const SOURCE = `FROM (SELECT 1) ARRAY JOIN
  {groups:Array(String)} AS rule_group,
  {rules:Array(String)} AS rule,
  {names:Array(String)} AS alert_name,
  {alerts:Array(String)} AS alert,
  {states:Array(String)} AS state,
  {froms:Array(String)} AS from_state,
  {ats:Array(Int64)} AS at_ms,
  {actives:Array(Int64)} AS active_at_ms,
  {fireds:Array(Int64)} AS fired_at_ms,
  {resolveds:Array(Int64)} AS resolved_at_ms,
  {keeps:Array(Int64)} AS keep_firing_since_ms,
  {sents:Array(Int64)} AS last_sent_at_ms,
  {values:Array(Float64)} AS value,
  {labelNames:Array(Array(String))} AS label_names,
  {labelValues:Array(Array(String))} AS label_values,
  {annotationNames:Array(Array(String))} AS annotation_names,
  {annotationValues:Array(Array(String))} AS annotation_values`

const SAVE_STATES = `INSERT INTO ${ALERT_STATES} (tenant, rule_group, rule, alert, state, at, active_at_ms, fired_at_ms,
  resolved_at_ms, keep_firing_since_ms, last_sent_at_ms, value, labels, annotations)
SELECT {tenant:String}, rule_group, rule, alert, state, fromUnixTimestamp64Milli(at_ms, 'UTC'), active_at_ms, fired_at_ms,
  resolved_at_ms, keep_firing_since_ms, last_sent_at_ms, value, mapFromArrays(label_names, label_values),
  mapFromArrays(annotation_names, annotation_values)
${SOURCE}`

const SAVE_TRANSITIONS = `INSERT INTO ${ALERT_TRANSITIONS} (tenant, at, rule_group, alert_name, from_state, to_state, active_at_ms,
  fired_at_ms, value, labels, annotations)
SELECT {tenant:String}, fromUnixTimestamp64Milli(at_ms, 'UTC'), rule_group, alert_name, from_state, state, active_at_ms,
  fired_at_ms, value, mapFromArrays(label_names, label_values), mapFromArrays(annotation_names, annotation_values)
${SOURCE}`

const LOAD = `SELECT
  rule_group, rule, toString(state) AS state, toUnixTimestamp64Milli(at) AS at_ms, active_at_ms, fired_at_ms, resolved_at_ms,
  keep_firing_since_ms, last_sent_at_ms, value, mapKeys(labels) AS label_names, mapValues(labels) AS label_values,
  mapKeys(annotations) AS annotation_names, mapValues(annotations) AS annotation_values
FROM ${ALERT_STATES} FINAL
WHERE tenant = {tenant:String} AND state != 'none'
ORDER BY rule_group, rule, alert`

interface StateRow {
  readonly rule_group: string
  readonly rule: string
  readonly state: AlertInstance['state']
  readonly at_ms: string
  readonly active_at_ms: string
  readonly fired_at_ms: string
  readonly resolved_at_ms: string
  readonly keep_firing_since_ms: string
  readonly last_sent_at_ms: string
  readonly value: number | string | null
  readonly label_names: readonly string[]
  readonly label_values: readonly string[]
  readonly annotation_names: readonly string[]
  readonly annotation_values: readonly string[]
}

function fromRow(row: StateRow): RestoredAlert {
  return {
    group: row.rule_group,
    rule: row.rule,
    atMs: Number(row.at_ms),
    alert: {
      labels: zip(row.label_names, row.label_values),
      annotations: zip(row.annotation_names, row.annotation_values),
      value: readFloat(row.value),
      state: row.state,
      activeAtMs: Number(row.active_at_ms),
      firedAtMs: readTime(row.fired_at_ms),
      resolvedAtMs: readTime(row.resolved_at_ms),
      keepFiringSinceMs: readTime(row.keep_firing_since_ms),
      lastSentAtMs: readTime(row.last_sent_at_ms),
    },
  }
}

function parameters(alerts: readonly StoredAlert[]) {
  const of = <Value>(read: (stored: StoredAlert) => Value): Value[] => alerts.map(read)
  return {
    groups: of(({ group }) => group),
    rules: of(({ rule }) => rule),
    names: of(({ alertName }) => alertName),
    alerts: of(({ alert }) => labelsKey(alert.labels)),
    states: of(({ alert, isGone }) => (isGone ? 'none' : alert.state)),
    froms: of(({ from }) => from ?? 'none'),
    ats: of(({ atMs }) => atMs),
    actives: of(({ alert }) => alert.activeAtMs),
    fireds: of(({ alert }) => alert.firedAtMs ?? NEVER),
    resolveds: of(({ alert }) => alert.resolvedAtMs ?? NEVER),
    keeps: of(({ alert }) => alert.keepFiringSinceMs ?? NEVER),
    sents: of(({ alert }) => alert.lastSentAtMs ?? NEVER),
    values: of(({ alert }) => alert.value),
    labelNames: of(({ alert }) => names(alert.labels)),
    labelValues: of(({ alert }) => values(alert.labels)),
    annotationNames: of(({ alert }) => names(alert.annotations)),
    annotationValues: of(({ alert }) => values(alert.annotations)),
  }
}

/** Stands for null: no alert is that old. */
const NEVER = -1

function readTime(text: string): number | null {
  const ms = Number(text)
  return ms === NEVER ? null : ms
}

function readFloat(value: number | string | null): number {
  if (value === 'inf') return Number.POSITIVE_INFINITY
  if (value === '-inf') return Number.NEGATIVE_INFINITY
  return value === null ? Number.NaN : Number(value)
}

function names(labels: Labels): string[] {
  return [...labelPairs(labels)].map(([name]) => name)
}

function values(labels: Labels): string[] {
  return [...labelPairs(labels)].map(([, value]) => value)
}

function zip(keys: readonly string[], texts: readonly string[]): Labels {
  return labelsFrom(keys.map((key, index) => [key, texts[index] ?? '']))
}
