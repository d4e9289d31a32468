import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatDuration } from '../model/duration.ts'
import { AppError } from '../runtime/errors.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { quoteString } from './format-parameter.ts'
import { isClickHouseError } from './map-clickhouse-error.ts'
import { type DdlTarget, onCluster } from './render-ddl.ts'

/** What a lease needs; times in milliseconds. */
export interface SchemaLeaseOptions {
  readonly connection: ClickHouseConnection
  readonly target: DdlTarget
  /** How long a holder that died keeps others waiting. Default one minute. */
  readonly leaseMs?: number
  /** How long to wait for the lease. Default ten minutes. */
  readonly patienceMs?: number
}

/** A lock table, judged by the server's clock. */
interface Lock {
  readonly number: number
  readonly isLive: boolean
}

/**
 * Runs `work` while no other process changes the schema. A plain server has no Keeper, so the lease is a table: to create
 * `schema_lock_<n>` succeeds for one process only (on a cluster because distributed DDL runs in one order); its comment
 * says who holds it until when. The steps:
 *
 *     free ─ create n ─ any other live lock? ─ no ─ held: renew every third of the lease ─ drop n ─ free
 *                              └ yes: drop n, wait, again
 *
 * Whoever creates looks around afterwards, so of two that create at the same time at least one sees the other. A holder
 * that dies stops renewing, and its lock counts no more once expired. The embedded engine needs none of this: its data
 * directory belongs to one process. Throws CANNOT_START when the lease is not to be had.
 */
export async function withSchemaLease<T>(options: SchemaLeaseOptions, work: () => Promise<T>): Promise<T> {
  if (options.connection.kind === 'embedded') return work()
  const holder = randomUUID()
  const leaseMs = options.leaseMs ?? 60_000
  const number = await acquire(options, holder, leaseMs)
  const renewal = setInterval(() => {
    // When renewing fails the lock expires at worst; every step under it may be repeated by another holder.
    renew(options, number, holder, leaseMs).catch(() => undefined)
  }, leaseMs / 3)
  try {
    return await work()
  } finally {
    clearInterval(renewal)
    await run(options, `DROP TABLE IF EXISTS ${lockTable(options.target, number)} SYNC`).catch(
      () => undefined,
    )
  }
}

async function acquire(options: SchemaLeaseOptions, holder: string, leaseMs: number): Promise<number> {
  const patienceMs = options.patienceMs ?? 600_000
  for (let waitedMs = 0; ; ) {
    const { locks, nowMs } = await readLocks(options)
    if (!locks.some(({ isLive }) => isLive)) {
      const number = (locks.at(-1)?.number ?? 0) + 1
      if ((await create(options, number, holder, nowMs + leaseMs)) && (await isAlone(options, number))) {
        return number
      }
    }
    if (waitedMs >= patienceMs) throw heldTooLong(options, patienceMs)
    // At random, so that two that gave way to each other do not meet again.
    const waitMs = Math.round(leaseMs / 60 + (Math.random() * leaseMs) / 60)
    await sleep(waitMs)
    waitedMs += waitMs
  }
}

/** False when another process was first. */
async function create(
  options: SchemaLeaseOptions,
  number: number,
  holder: string,
  expiresAtMs: number,
): Promise<boolean> {
  try {
    const comment = quoteString(JSON.stringify({ holder, expiresAtMs }))
    await run(
      options,
      `CREATE TABLE ${lockTable(options.target, number)} (a UInt8) ENGINE = Null COMMENT ${comment}`,
    )
    return true
  } catch (error) {
    if (isClickHouseError(error) && error.code === TABLE_ALREADY_EXISTS) return false
    throw error
  }
}

/** Gives the lock back when another one lives; else clears away what dead holders left. */
async function isAlone(options: SchemaLeaseOptions, number: number): Promise<boolean> {
  const others = (await readLocks(options)).locks.filter((lock) => lock.number !== number)
  const isAlone = !others.some(({ isLive }) => isLive)
  const superfluous = isAlone ? others.map((lock) => lock.number) : [number]
  for (const each of superfluous) {
    await run(options, `DROP TABLE IF EXISTS ${lockTable(options.target, each)} SYNC`)
  }
  return isAlone
}

async function renew(
  options: SchemaLeaseOptions,
  number: number,
  holder: string,
  leaseMs: number,
): Promise<void> {
  const { nowMs } = await readLocks(options)
  const comment = quoteString(JSON.stringify({ holder, expiresAtMs: nowMs + leaseMs }))
  await run(options, `ALTER TABLE ${lockTable(options.target, number)} MODIFY COMMENT ${comment}`)
}

async function readLocks(options: SchemaLeaseOptions): Promise<{ locks: Lock[]; nowMs: number }> {
  const rows = (await options.connection.query({
    // A left join keeps the row with the time when there is no lock.
    sql: `SELECT clock.now_ms AS now_ms, locks.name AS name, locks.comment AS comment
FROM (SELECT toUnixTimestamp64Milli(now64(3)) AS now_ms) AS clock
LEFT JOIN (
  SELECT name, comment FROM system.tables
  WHERE database = {database:String} AND match(name, '^schema_lock_[0-9]+$')
) AS locks ON 1 = 1`,
    params: { database: options.target.database },
    settings: {},
    timeoutMs: 30_000,
  })) as { now_ms: string; name: string; comment: string }[]
  const nowMs = Number(rows[0]?.now_ms)
  const locks = rows
    .filter(({ name }) => name !== '')
    .map(({ name, comment }) => ({
      number: Number(name.slice('schema_lock_'.length)),
      isLive: (JSON.parse(comment) as { expiresAtMs: number }).expiresAtMs > nowMs,
    }))
    .sort((a, b) => a.number - b.number)
  return { locks, nowMs }
}

async function run(options: SchemaLeaseOptions, sql: string): Promise<void> {
  await options.connection.command({ sql, params: {}, settings: {}, timeoutMs: 60_000 })
}

function lockTable(target: DdlTarget, number: number): string {
  const name = `${target.database}.schema_lock_${number}`
  return target.cluster === null ? name : `${name} ${onCluster(target.cluster)}`
}

function heldTooLong(options: SchemaLeaseOptions, patienceMs: number): AppError {
  return new AppError(
    'CANNOT_START',
    `Cannot prepare the database ${options.target.database}: another process has been changing its schema for ${formatDuration(patienceMs)}`,
  )
}

/** ClickHouse's number for the name being taken. */
const TABLE_ALREADY_EXISTS = '57'
