import type { Clock } from '../runtime/clock.ts'
import { AppError } from '../runtime/errors.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import type { Migration } from './read-migrations.ts'
import { type DdlTarget, renderDdl } from './render-ddl.ts'
import { type SchemaLeaseOptions, withSchemaLease } from './schema-lease.ts'
import { splitStatements } from './split-statements.ts'

/** What {@link migrate} works on. */
export interface MigrateOptions extends SchemaLeaseOptions {
  readonly migrations: readonly Migration[]
  /** Recorded beside each migration: which program applied it. */
  readonly programVersion: string
  readonly clock: Clock
}

/** A migration as the database remembers it. */
interface Recorded {
  readonly number: number
  readonly name: string
  readonly checksum: string
}

/** DDL may wait for replicas. */
const DDL_TIMEOUT_MS = 600_000

/**
 * Brings the database to the newest schema: every migration once, in order, under a lease, each recorded when all its
 * statements are done. A migrator that is killed in between leaves a migration that the next one repeats, which
 * changes nothing. Returns the numbers applied. Throws CANNOT_START when the database is newer than the program or a
 * recorded migration is not the one the program knows.
 */
export async function migrate(options: MigrateOptions): Promise<number[]> {
  const { connection, target, migrations } = options
  // The common start: everything is there, so no lease is needed to find that out.
  const known = await readRecorded(connection, target)
  refuseForeign(known, options)
  if (known.length === migrations.length) return []
  return withSchemaLease(options, async () => {
    await run(connection, renderDdl(RECORD_TABLE, target))
    const recorded = await readRecorded(connection, target)
    refuseForeign(recorded, options)
    const done = new Set(recorded.map(({ number }) => number))
    const applied: number[] = []
    for (const migration of migrations.filter(({ number }) => !done.has(number))) {
      for (const statement of splitStatements(migration.sql)) {
        await run(connection, renderDdl(statement, target))
      }
      await record(migration, options)
      applied.push(migration.number)
    }
    return applied
  })
}

const RECORD_TABLE = `CREATE TABLE schema_migrations (
  number UInt32,
  name String,
  checksum String,
  applied_at DateTime('UTC'),
  program_version String
) ENGINE = ReplacingMergeTree
ORDER BY number`

async function readRecorded(connection: ClickHouseConnection, target: DdlTarget): Promise<Recorded[]> {
  const query = (sql: string, params: Record<string, string>) =>
    connection.query({ sql, params, settings: {}, timeoutMs: 30_000 })
  const tables = await query(
    "SELECT name FROM system.tables WHERE database = {database:String} AND name = 'schema_migrations'",
    { database: target.database },
  )
  if (tables.length === 0) return []
  const rows = await query(
    'SELECT number, any(name) AS name, any(checksum) AS checksum FROM schema_migrations GROUP BY number ORDER BY number',
    {},
  )
  return rows as Recorded[]
}

function refuseForeign(recorded: readonly Recorded[], options: MigrateOptions): void {
  const { migrations, target } = options
  const newest = recorded.at(-1)
  if (newest !== undefined && newest.number > migrations.length) {
    throw new AppError(
      'CANNOT_START',
      `Cannot use the database ${target.database}: its schema ${fourDigits(newest.number)} is newer than this program knows (${fourDigits(migrations.length)})`,
    )
  }
  for (const { number, name, checksum } of recorded) {
    const migration = migrations[number - 1]
    if (migration?.checksum === checksum) continue
    throw new AppError(
      'CANNOT_START',
      `Cannot use the database ${target.database}: its schema ${fourDigits(number)} (${name}) is not the one this program knows by that number`,
    )
  }
}

async function record(migration: Migration, options: MigrateOptions): Promise<void> {
  await options.connection.command({
    sql: `INSERT INTO schema_migrations
SELECT {number:UInt32}, {name:String}, {checksum:String}, toDateTime({at:UInt32}, 'UTC'), {program:String}`,
    params: {
      number: migration.number,
      name: migration.name,
      checksum: migration.checksum,
      at: Math.floor(options.clock.now() / 1000),
      program: options.programVersion,
    },
    settings: {},
    timeoutMs: DDL_TIMEOUT_MS,
  })
}

async function run(connection: ClickHouseConnection, statements: readonly string[]): Promise<void> {
  for (const sql of statements) {
    await connection.command({ sql, params: {}, settings: {}, timeoutMs: DDL_TIMEOUT_MS })
  }
}

function fourDigits(number: number): string {
  return String(number).padStart(4, '0')
}
