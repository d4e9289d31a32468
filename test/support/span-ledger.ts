import type { Storage } from '../../storage/storage.ts'

/** What became of a message, as its sender knows it. `sent`: no answer came, so its spans may be stored or not. */
export type Fate = 'sent' | 'acknowledged' | 'refused'

/** A message in the ledger. Its spans' ids are the serial number (4 bytes) and 1 to `spans` (4 bytes). */
export interface LedgerEntry {
  readonly spans: number
  /** When in the test it was sent, for the report. */
  readonly phase: string
  fate: Fate
}

/** Every message that was ever sent, by its serial number. */
export type SpanLedger = Map<number, LedgerEntry>

/** How many of the spans of a message are stored. */
export interface StoredMessage {
  readonly serial: number
  readonly spans: number
  readonly distinct: number
}

/**
 * Holds what is stored against the ledger: an acknowledged message is stored whole and once, a refused one not at all, one
 * without an answer at most once, and nothing else is there. Returns what is wrong, a sentence each.
 */
export function compareLedger(ledger: SpanLedger, stored: readonly StoredMessage[]): string[] {
  const found = new Map(stored.map((message) => [message.serial, message]))
  const problems: string[] = []
  for (const [serial, { spans, fate, phase }] of ledger) {
    const { spans: rows, distinct } = found.get(serial) ?? { spans: 0, distinct: 0 }
    found.delete(serial)
    const isGood =
      fate === 'acknowledged'
        ? rows === spans && distinct === spans
        : fate === 'refused'
          ? rows === 0
          : rows === distinct && distinct <= spans
    if (!isGood)
      problems.push(
        `message ${serial} (${fate}, ${phase}) has ${spans} spans: ${rows} are stored, ${distinct} distinct`,
      )
  }
  for (const { serial, spans } of found.values())
    problems.push(`message ${serial} was never sent: ${spans} spans are stored`)
  return problems
}

/** What of the ledger's messages is stored. Nothing else may have been sent to the database, or not by `service`. */
export async function readStored(storage: Storage, service = ''): Promise<StoredMessage[]> {
  const rows = await storage.select<{ serial: number; spans: string; distinct: string }>({
    name: 'test.stored',
    tenant: 'default',
    params: { service },
    sql: `SELECT reinterpretAsUInt32(reverse(substring(span_id, 1, 4))) AS serial, count() AS spans, uniqExact(span_id) AS distinct
      FROM spans WHERE tenant = {tenant:String} AND {service:String} IN ('', service) GROUP BY serial`,
  })
  return rows.map(({ serial, spans, distinct }) => ({
    serial: Number(serial),
    spans: Number(spans),
    distinct: Number(distinct),
  }))
}

/** Sums that must be the same whether they are read from the spans or from a roll-up. */
export interface RollupSums {
  readonly fromSpans: Readonly<Record<string, number>>
  readonly fromRollups: Readonly<Record<string, number>>
}

/** Reads the same sums from `spans` and from everything that materialised views make of it. */
export async function readRollupSums(storage: Storage): Promise<RollupSums> {
  const ask = async (sql: string): Promise<Record<string, number>> => {
    const [row] = await storage.select<Record<string, string>>({ name: 'test.sums', tenant: 'default', sql })
    return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]))
  }
  const one = (value: string, table: string) =>
    `(SELECT ${value} FROM ${table} WHERE tenant = {tenant:String})`
  const calls = 'sum(calls)'
  const nanos = 'sum(toUInt64(greatest(duration_ns, 0)))'
  const edge = "kind IN ('client', 'producer') AND upstream != ''"
  const fromSpans = await ask(`SELECT count() AS traces, uniqExact(trace_id) AS trace_ids, count() AS red_10s,
      count() AS red_5m, ${nanos} AS nanos_10s, ${nanos} AS nanos_5m, countIf(${edge}) AS edges_10s,
      countIf(${edge}) AS edges_5m, 0 AS without_origin
    FROM spans WHERE tenant = {tenant:String}`)
  const fromRollups = await ask(`SELECT ${one('sum(spans)', 'traces')} AS traces,
    ${one('uniqExact(trace_id)', 'traces')} AS trace_ids,
    ${one(calls, 'red_10s')} AS red_10s, ${one(calls, 'red_5m')} AS red_5m,
    ${one('sum(duration_sum_ns)', 'red_10s')} AS nanos_10s, ${one('sum(duration_sum_ns)', 'red_5m')} AS nanos_5m,
    ${one(calls, 'edges_10s')} AS edges_10s, ${one(calls, 'edges_5m')} AS edges_5m,
    (SELECT count() FROM spans WHERE tenant = {tenant:String}
      AND origin NOT IN (SELECT id FROM origins WHERE tenant = {tenant:String})) AS without_origin`)
  return { fromSpans, fromRollups }
}
