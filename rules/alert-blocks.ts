import { createHash } from 'node:crypto'
import { labelsKey } from '../model/labels.ts'
import {
  type EncodedColumn,
  mapColumn,
  nativeBlock,
  numberColumn,
  textColumn,
} from '../query/metrics/native-samples.ts'
import type { NativeInsert } from '../storage/storage.ts'
import { ALERT_STATES, ALERT_TRANSITIONS } from '../storage/tables.ts'
import type { StoredAlert } from './alert-store.ts'

/** Stands for null among times: no alert is that old. */
export const NEVER = -1

/** Rows of `alert_states`, as of `atMs` (epoch milliseconds): of an alert's rows the one with the newest counts. */
export function statesInsert(tenant: string, alerts: readonly StoredAlert[], atMs: number): NativeInsert {
  return insertOf(ALERT_STATES, alerts, [
    texts(alerts, 'tenant', () => tenant),
    texts(alerts, 'rule_group', ({ group }) => group),
    texts(alerts, 'rule', ({ rule }) => rule),
    texts(alerts, 'alert', ({ alert }) => labelsKey(alert.labels)),
    texts(alerts, 'state', stateOf),
    integers(alerts, 'at', "DateTime64(3, 'UTC')", () => atMs),
    integers(alerts, 'active_at_ms', 'Int64', ({ alert }) => alert.activeAtMs),
    integers(alerts, 'fired_at_ms', 'Int64', ({ alert }) => alert.firedAtMs),
    integers(alerts, 'resolved_at_ms', 'Int64', ({ alert }) => alert.resolvedAtMs),
    integers(alerts, 'keep_firing_since_ms', 'Int64', ({ alert }) => alert.keepFiringSinceMs),
    integers(alerts, 'last_sent_at_ms', 'Int64', ({ alert }) => alert.lastSentAtMs),
    ...contents(alerts),
  ])
}

/** Rows of `alert_transitions`. */
export function transitionsInsert(tenant: string, alerts: readonly StoredAlert[]): NativeInsert {
  return insertOf(ALERT_TRANSITIONS, alerts, [
    texts(alerts, 'tenant', () => tenant),
    integers(alerts, 'at', "DateTime64(3, 'UTC')", ({ atMs }) => atMs),
    texts(alerts, 'rule_group', ({ group }) => group),
    texts(alerts, 'alert_name', ({ alertName }) => alertName),
    texts(alerts, 'from_state', ({ from }) => from ?? 'none'),
    texts(alerts, 'to_state', stateOf),
    integers(alerts, 'active_at_ms', 'Int64', ({ alert }) => alert.activeAtMs),
    integers(alerts, 'fired_at_ms', 'Int64', ({ alert }) => alert.firedAtMs),
    ...contents(alerts),
  ])
}

function stateOf({ alert, isGone }: StoredAlert): string {
  return isGone ? 'none' : alert.state
}

function contents(alerts: readonly StoredAlert[]): readonly EncodedColumn[] {
  return [
    numberColumn(
      'value',
      'Float64',
      8,
      alerts.map(({ alert }) => alert.value),
      (bytes, value, offset) => bytes.writeDoubleLE(value, offset),
    ),
    mapColumn(
      'labels',
      alerts.map(({ alert }) => alert.labels),
    ),
    mapColumn(
      'annotations',
      alerts.map(({ alert }) => alert.annotations),
    ),
  ]
}

function texts(
  alerts: readonly StoredAlert[],
  name: string,
  read: (alert: StoredAlert) => string,
): EncodedColumn {
  return textColumn(name, alerts.map(read))
}

function integers(
  alerts: readonly StoredAlert[],
  name: string,
  type: string,
  read: (alert: StoredAlert) => number | null,
): EncodedColumn {
  const values = alerts.map((alert) => read(alert) ?? NEVER)
  return numberColumn(name, type, 8, values, (bytes, value, offset) =>
    bytes.writeBigInt64LE(BigInt(value), offset),
  )
}

function insertOf(
  table: NativeInsert['table'],
  alerts: readonly StoredAlert[],
  columns: readonly EncodedColumn[],
): NativeInsert {
  const block = nativeBlock(alerts.length, columns)
  return {
    table,
    columns: columns.map(({ name, type }) => ({ name, type })),
    blocks: [block],
    rows: alerts.length,
    deduplicationToken: `alerts ${createHash('sha256').update(block).digest('hex')}`,
  }
}
