import { quoteString } from './format-parameter.ts'

/** What a schema is rendered for. */
export interface DdlTarget {
  readonly database: string
  /** The cluster's name; null: one node. */
  readonly cluster: string | null
}

/**
 * Turns one statement of a migration (plain single-node SQL) into the statements that make it so on the target. Each of
 * them may be repeated without effect. On one node that is the statement itself, with settings that bring parts to disk
 * before an insert is answered. On a cluster a table `t` becomes `t_local`, replicated, and `t`, distributed over the
 * shards by the expression of the comment `-- shard:` above it (without one, at random); views read and write the local
 * tables. What a view would have made of rows that were there before it (`INSERT INTO t (…) SELECT … FROM u`) goes through the distributed
 * tables; the rows of `t` must be such that the same ones again make no difference.
 * Throws when the statement is of another kind or could not be repeated.
 */
export function renderDdl(statement: string, target: DdlTarget): string[] {
  const shard = /^--\s*shard:\s*(.+)$/m.exec(statement)?.[1]?.trim() ?? 'rand()'
  const sql = statement.replace(/^\s*(--[^\n]*\n\s*)+/, '')
  const table = /^CREATE TABLE (\w+) (\([\s\S]*)$/.exec(sql)
  if (table !== null) return renderTable(table[1] ?? '', table[2] ?? '', shard, target)
  const view = /^CREATE MATERIALIZED VIEW (\w+) TO (\w+) AS\s([\s\S]*)$/.exec(sql)
  if (view !== null) return [renderView(view[1] ?? '', view[2] ?? '', view[3] ?? '', target)]
  const alter = /^ALTER TABLE (\w+) ([\s\S]*)$/.exec(sql)
  if (alter !== null) return renderAlter(alter[1] ?? '', alter[2] ?? '', target)
  const filling = /^INSERT INTO (\w+ \([^)]*\))\s(SELECT\s[\s\S]*)$/.exec(sql)
  if (filling !== null) return [renderFilling(filling[1] ?? '', filling[2] ?? '', target)]
  throw new Error(`Cannot render the statement: it starts with ${JSON.stringify(sql.slice(0, 40))}`)
}

/** The name under which `table` is altered on the target, and where. */
export function alterTarget(table: string, target: DdlTarget): string {
  return target.cluster === null ? table : `${target.database}.${table}_local ${onCluster(target.cluster)}`
}

/** The ON CLUSTER clause of a statement for every node of the cluster. */
export function onCluster(cluster: string): string {
  return `ON CLUSTER ${quoteString(cluster)}`
}

/**
 * One node has no replica: what an insert leaves must survive a power cut by itself, for the journal forgets it then.
 * Merged parts are not synced, so their sources stay until the system has written the merged part.
 * A part below 256 MiB keeps its columns in one file: an insert of spans would have to sync a hundred files otherwise, which
 * took three times as long as the insert itself.
 */
const SINGLE_NODE_SETTINGS =
  'fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 268435456, old_parts_lifetime = 120'

const ENGINE = /\)\s*ENGINE = (\w*MergeTree)(\([^\n]*\))?\n/

function renderTable(name: string, rest: string, shard: string, target: DdlTarget): string[] {
  const engine = ENGINE.exec(rest)
  if (engine === null) throw new Error(`Cannot render the table ${name}: its engine is no MergeTree`)
  const { database, cluster } = target
  if (cluster === null)
    return [`CREATE TABLE IF NOT EXISTS ${name} ${withSettings(rest, SINGLE_NODE_SETTINGS)}`]
  const own = engine[2]?.slice(1, -1)
  const path = `/clickhouse/tables/{shard}/${database}/${name}_local`
  const args = [quoteString(path), quoteString('{replica}'), ...(own === undefined ? [] : [own])].join(', ')
  const replicated = rest
    .replace(ENGINE, `) ENGINE = Replicated${engine[1]}(${args})\n`)
    .replace('non_replicated_deduplication_window', 'replicated_deduplication_window')
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.${name}_local ${onCluster(cluster)} ${replicated}`,
    `CREATE TABLE IF NOT EXISTS ${database}.${name} ${onCluster(cluster)} AS ${database}.${name}_local
ENGINE = Distributed(${quoteString(cluster)}, ${quoteString(database)}, ${quoteString(`${name}_local`)}, ${shard})`,
  ]
}

function renderView(name: string, to: string, select: string, target: DdlTarget): string {
  const { database, cluster } = target
  if (cluster === null) return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${name} TO ${to} AS\n${select}`
  const local = select.replace(/^FROM (\w+)$/gm, `FROM ${database}.$1_local`)
  if (local === select) throw new Error(`Cannot render the view ${name}: no line of it is FROM and a table`)
  return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.${name} ${onCluster(cluster)} TO ${database}.${to}_local AS\n${local}`
}

function renderFilling(to: string, select: string, { database, cluster }: DdlTarget): string {
  const from = select.replace(/^FROM (\w+)$/gm, `FROM ${database}.$1`)
  if (from === select)
    throw new Error(`Cannot render the filling of ${to}: no line of it is FROM and a table`)
  return cluster === null ? `INSERT INTO ${to}\n${select}` : `INSERT INTO ${database}.${to}\n${from}`
}

function renderAlter(name: string, change: string, target: DdlTarget): string[] {
  if (
    !/^(ADD|DROP|RENAME|MODIFY|COMMENT)\b/.test(change) ||
    /^(ADD|DROP|RENAME)\b(?![^,]*\bIF (NOT )?EXISTS\b)/.test(change)
  ) {
    throw new Error(`Cannot render the change of ${name}: ADD, DROP and RENAME need IF [NOT] EXISTS`)
  }
  const { database, cluster } = target
  if (cluster === null) return [`ALTER TABLE ${name} ${change}`]
  const local = `ALTER TABLE ${alterTarget(name, target)} ${change}`
  // The distributed table has columns only; indexes, TTL and settings are the local table's.
  return /^(ADD|DROP|RENAME|MODIFY|COMMENT) COLUMN\b/.test(change)
    ? [local, `ALTER TABLE ${database}.${name} ${onCluster(cluster)} ${change}`]
    : [local]
}

function withSettings(rest: string, settings: string): string {
  return /\nSETTINGS [^\n]*$/.test(rest) ? `${rest}, ${settings}` : `${rest}\nSETTINGS ${settings}`
}
