import { describe, expect, test } from 'vitest'
import { prepareInspection, prepareSelect } from './prepare-select.ts'
import type { Select } from './storage.ts'

const LIMITS = { timeoutMs: 30_000, maxMemoryBytes: 2 ** 31, maxResultRows: 1000, maxRowsToRead: 0 }

function select(more: Partial<Select>): Select {
  return { name: 'test.question', tenant: 'acme', sql: 'SELECT {tenant:String}', ...more }
}

describe('prepareSelect', () => {
  test('binds the tenant and the limits', () => {
    expect(prepareSelect(select({ params: { x: 1 }, settings: { max_threads: 1 } }), LIMITS)).toEqual({
      sql: 'SELECT {tenant:String}',
      params: { tenant: 'acme', x: 1 },
      settings: {
        max_threads: 1,
        max_execution_time: 30,
        max_memory_usage: 2 ** 31,
        max_result_rows: 1000,
        max_result_bytes: 2 ** 27,
        result_overflow_mode: 'throw',
        timeout_overflow_mode: 'throw',
      },
      timeoutMs: 30_000,
      signal: undefined,
    })
  })

  test.each([
    [{ timeoutMs: 100 }, { max_execution_time: 0.1 }],
    [{ timeoutMs: 60_000 }, { max_execution_time: 30 }],
    [{ maxMemoryBytes: 2 ** 20 }, { max_memory_usage: 2 ** 20, max_result_bytes: 2 ** 20 }],
    [{ maxRowsToRead: 5 }, { max_rows_to_read: 5, read_overflow_mode: 'throw' }],
  ])('the narrower limit counts: %o', (limits, settings) => {
    expect(prepareSelect(select({ limits }), LIMITS).settings).toMatchObject(settings)
  })

  test('a question cannot lift the bound on rows read', () => {
    const configured = { ...LIMITS, maxRowsToRead: 10 }
    for (const maxRowsToRead of [0, 100]) {
      const { settings } = prepareSelect(select({ limits: { maxRowsToRead } }), configured)
      expect(settings).toMatchObject({ max_rows_to_read: 10 })
    }
  })

  test('settings of a question do not widen its limits', () => {
    const settings = { max_execution_time: 1000, max_result_rows: 0, result_overflow_mode: 'break' }
    expect(prepareSelect(select({ settings }), LIMITS).settings).toMatchObject({
      max_execution_time: 30,
      max_result_rows: 1000,
      result_overflow_mode: 'throw',
    })
  })

  test.each([
    ['SELECT {tenant:String} UNION ALL SELECT 1', true],
    ['SELECT {tenant:String} AS t UNION DISTINCT (SELECT 1)', true],
    ['SELECT * FROM (SELECT {tenant:String} UNION ALL SELECT 1) ORDER BY 1', false],
    ["SELECT {tenant:String}, ' UNION '", false],
    ['SELECT {tenant:String} -- UNION', false],
    ["SELECT {tenant:String}, '(' UNION ALL SELECT 1", true],
  ])('a union is counted as a whole: %s', (sql, isWrapped) => {
    expect(prepareSelect(select({ sql }), LIMITS).sql).toBe(isWrapped ? `SELECT * FROM (${sql}\n)` : sql)
  })

  test.each([
    ['WITH x AS (SELECT 1) SELECT {tenant:String}', true],
    ['-- why\n/* and */ SELECT {tenant:String}', true],
    ['(SELECT {tenant:String})', true],
    ['INSERT INTO spans SELECT {tenant:String}', false],
    ['DROP TABLE {tenant:String}', false],
    ['-- SELECT\nALTER TABLE x DELETE WHERE tenant = {tenant:String}', false],
    ['SELECTED {tenant:String}', false],
  ])('only a SELECT is asked: %s', (sql, isAsked) => {
    if (isAsked) expect(prepareSelect(select({ sql }), LIMITS).sql).toBe(sql)
    else
      expect(() => prepareSelect(select({ sql }), LIMITS)).toThrow(
        'Cannot ask test.question: the statement is no SELECT',
      )
  })
})

describe('prepareInspection', () => {
  test.each([
    'SELECT * FROM system.parts',
    'SELECT 1 FROM (SELECT * FROM system.disks) AS d JOIN system.parts AS p ON 1',
  ])('asks %s', (sql) => {
    expect(prepareInspection(sql, {}).sql).toBe(sql)
  })

  test.each([
    'SELECT * FROM spans',
    'SELECT * FROM system.parts JOIN meshwatch.spans ON 1',
    'SELECT * FROM system.parts, spans',
    "SELECT * FROM remote('other', system.parts)",
    'DROP TABLE spans',
  ])('refuses %s', (sql) => {
    expect(() => prepareInspection(sql, {})).toThrow('reads more than system tables')
  })
})
