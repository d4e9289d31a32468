import { type Labels, labelsFrom } from '../model/labels.ts'
import type { Storage } from '../storage/storage.ts'
import { ALERT_STATES } from '../storage/tables.ts'
import { NEVER, statesInsert, transitionsInsert } from './alert-blocks.ts'
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
  /** Keeps states, and transitions for the history. Repeating it changes nothing. Throws what {@link Storage.insertNative} throws. */
  save(tenant: string, alerts: readonly StoredAlert[]): Promise<void>
}

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
      if (alerts.length === 0) return
      for (const { atMs } of alerts) newestMs = Math.max(newestMs, atMs)
      await storage.insertNative(statesInsert(tenant, alerts, newestMs))
      const transitions = alerts.filter(({ from }) => from !== null)
      if (transitions.length > 0) await storage.insertNative(transitionsInsert(tenant, transitions))
    },
  }
}

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

function readTime(text: string): number | null {
  const ms = Number(text)
  return ms === NEVER ? null : ms
}

function readFloat(value: number | string | null): number {
  if (value === 'inf') return Number.POSITIVE_INFINITY
  if (value === '-inf') return Number.NEGATIVE_INFINITY
  return value === null ? Number.NaN : Number(value)
}

function zip(keys: readonly string[], texts: readonly string[]): Labels {
  return labelsFrom(keys.map((key, index) => [key, texts[index] ?? '']))
}
