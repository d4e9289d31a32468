import { describe, expect, test } from 'vitest'
import { clickHouseConfig, queryConfig, readLimits, retentionConfig } from './config.ts'

const DAY = 86_400_000

test('the defaults are what the documentation says', () => {
  expect(clickHouseConfig.parse({})).toMatchObject({ url: null, database: 'meshwatch', cluster: null })
  expect(retentionConfig.parse({})).toEqual({
    traces: 7 * DAY,
    metrics: 30 * DAY,
    alerts: 400 * DAY,
    minFreeSpace: 2 ** 31,
  })
  expect(readLimits(queryConfig.parse({}))).toEqual({
    timeoutMs: 30_000,
    maxMemoryBytes: 2 ** 31,
    maxResultRows: 1_000_000,
    maxRowsToRead: 0,
  })
})

test.each(['http://host', 'https://clickhouse.example:8443', 'http://[::1]:8123/'])(
  '%s is a server',
  (url) => {
    expect(clickHouseConfig.parse({ url }).url).toBe(url)
  },
)

describe('what is refused', () => {
  test.each([
    [clickHouseConfig, { url: 'ftp://x' }],
    [clickHouseConfig, { url: 'localhost' }],
    [clickHouseConfig, { url: 'http://user:password@host:8123' }],
    [clickHouseConfig, { url: 'http://host:8123/database' }],
    [clickHouseConfig, { url: 'http://host:8123?user=u' }],
    [clickHouseConfig, { database: 'a; DROP' }],
    [clickHouseConfig, { database: '1a' }],
    [clickHouseConfig, { cluster: "c'" }],
    [clickHouseConfig, { colour: 'red' }],
    [retentionConfig, { traces: '12h' }],
    [retentionConfig, { traces: '0' }],
    [retentionConfig, { traces: 7 }],
    [retentionConfig, { metrics: '1d12h' }],
    [retentionConfig, { minFreeSpace: '5%' }],
    [queryConfig, { timeout: '10ms' }],
    [queryConfig, { maxMemory: '1MiB' }],
    [queryConfig, { concurrency: 0 }],
  ])('%#: %o', (schema, value) => {
    expect(schema.safeParse(value).success).toBe(false)
  })
})
