import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session } from 'chdb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readMigrations } from './read-migrations.ts'
import { renderDdl } from './render-ddl.ts'
import { splitStatements } from './split-statements.ts'

const GOLDEN = join(import.meta.dirname, 'golden')
const CASES = [
  { file: 'single-node.sql', target: { database: 'meshwatch', cluster: null } },
  { file: 'cluster.sql', target: { database: 'meshwatch', cluster: 'mesh' } },
] as const

describe.each(CASES)('the schema rendered as $file', ({ file, target }) => {
  let dir: string
  let session: Session
  let statements: string[]

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'meshwatch-ddl-'))
    session = new Session(dir)
    const migrations = await readMigrations()
    statements = migrations
      .flatMap(({ sql }) => splitStatements(sql))
      .flatMap((statement) => renderDdl(statement, target))
  })

  afterAll(async () => {
    session.close()
    await rm(dir, { recursive: true })
  })

  test('is what it was (UPDATE_GOLDEN=1 accepts a change)', async () => {
    const rendered = statements.map((statement) => `${statement};\n`).join('\n')
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(join(GOLDEN, file), rendered)
    expect(rendered).toBe(await readFile(join(GOLDEN, file), 'utf8'))
  })

  test('is understood by ClickHouse', async () => {
    for (const statement of statements) {
      const tree = (await session.queryAsync(`EXPLAIN AST ${statement}`)).text()
      expect(tree).toMatch(/^"?(Create|Alter|Insert)Query/)
    }
    await expect(session.queryAsync('EXPLAIN AST CREATE TABLE x (')).rejects.toThrow('Syntax error')
  })
})

describe('renderDdl', () => {
  const cluster = { database: 'mw', cluster: 'c' }

  test('keeps the arguments of an engine behind path and replica', () => {
    const sql = '-- shard: a\nCREATE TABLE t (\n  a UInt64\n) ENGINE = SummingMergeTree((a))\nORDER BY a'
    expect(renderDdl(sql, cluster)).toEqual([
      "CREATE TABLE IF NOT EXISTS mw.t_local ON CLUSTER 'c' (\n  a UInt64\n) ENGINE = ReplicatedSummingMergeTree('/clickhouse/tables/{shard}/mw/t_local', '{replica}', (a))\nORDER BY a",
      "CREATE TABLE IF NOT EXISTS mw.t ON CLUSTER 'c' AS mw.t_local\nENGINE = Distributed('c', 'mw', 't_local', a)",
    ])
  })

  test('alters columns of both tables, everything else of the local one', () => {
    expect(renderDdl('ALTER TABLE t ADD COLUMN IF NOT EXISTS b String', cluster)).toEqual([
      "ALTER TABLE mw.t_local ON CLUSTER 'c' ADD COLUMN IF NOT EXISTS b String",
      "ALTER TABLE mw.t ON CLUSTER 'c' ADD COLUMN IF NOT EXISTS b String",
    ])
    expect(renderDdl('ALTER TABLE t MODIFY TTL d + INTERVAL 1 DAY', cluster)).toEqual([
      "ALTER TABLE mw.t_local ON CLUSTER 'c' MODIFY TTL d + INTERVAL 1 DAY",
    ])
  })

  test('fills through the distributed tables', () => {
    const sql = '-- why\nINSERT INTO t (a)\nSELECT b AS a\nFROM u'
    expect(renderDdl(sql, cluster)).toEqual(['INSERT INTO mw.t (a)\nSELECT b AS a\nFROM mw.u'])
    expect(renderDdl(sql, { ...cluster, cluster: null })).toEqual([
      'INSERT INTO t (a)\nSELECT b AS a\nFROM u',
    ])
  })

  test.each([
    'ALTER TABLE t ADD COLUMN b String',
    'ALTER TABLE t DELETE WHERE 1',
    'DROP TABLE t',
    'INSERT INTO t VALUES (1)',
    'INSERT INTO t (a) SELECT 1',
    'INSERT INTO t SELECT a\nFROM u',
    'CREATE TABLE t (a Int8) ENGINE = Log\n',
    'CREATE MATERIALIZED VIEW v TO t AS SELECT * FROM u',
  ])('refuses what it cannot render for a cluster: %s', (sql) => {
    expect(() => renderDdl(sql, cluster)).toThrow('Cannot render')
  })
})
