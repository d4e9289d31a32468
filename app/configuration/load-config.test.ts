import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { configSchema } from '../config.ts'
import { type ConfigSources, loadConfig } from './load-config.ts'
import { printConfig } from './print-config.ts'
import { problemText } from './raw-config.ts'

interface Case {
  readonly name: string
  readonly file?: string
  readonly environment?: Record<string, string>
  /** The problems, one line each; the file is called meshwatch.yaml. */
  readonly problems?: readonly string[]
  /** Parts of the configuration that comes out. */
  readonly config?: Record<string, unknown>
}

const CASES = parse(readFileSync(join(import.meta.dirname, 'golden/cases.yaml'), 'utf8')) as readonly Case[]

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'meshwatch-config-'))
})

afterEach(() => rmSync(dir, { recursive: true }))

function load(
  text: string | null,
  environment: ConfigSources['environment'] = {},
  dataDir: string | null = null,
) {
  const file = text === null ? null : join(dir, 'meshwatch.yaml')
  if (file !== null && text !== null) writeFileSync(file, text)
  return loadConfig({ file, environment, dataDir })
}

function problemsOf(result: ReturnType<typeof loadConfig>): string[] {
  return result.isValid
    ? []
    : result.problems.map((problem) => problemText(problem).replaceAll(`${dir}/`, ''))
}

describe('a configuration', () => {
  test.each(CASES)('$name', ({ file, environment, problems, config }) => {
    const result = load(file ?? null, environment)
    expect(problemsOf(result)).toEqual(problems ?? [])
    expect(result.isValid).toBe(problems === undefined)
    if (config !== undefined && result.isValid) expect(result.config).toMatchObject(config)
  })

  test('needs nothing: the defaults are the contract', () => {
    const result = load(null)
    if (!result.isValid) throw new Error('the defaults are bad')
    const day = 86_400_000
    expect(result.config).toMatchObject({
      dataDir: './data',
      http: {
        host: '127.0.0.1',
        port: 9797,
        externalUrl: null,
        auth: { tokensFile: null, insecure: false },
        tls: { certFile: null, keyFile: null, clientCaFile: null },
      },
      ingest: {
        otlpHttp: { host: '127.0.0.1', port: 4318 },
        otlpGrpc: { host: '127.0.0.1', port: 4317 },
        journal: { dir: null, maxSize: 4 * 2 ** 30, fsync: true },
        maxMessageSize: 16 * 2 ** 20,
      },
      clickhouse: { url: null, database: 'meshwatch', username: 'default', password: null, cluster: null },
      retention: { traces: 7 * day, metrics: 30 * day, alerts: 400 * day },
      query: { timeout: 30_000, maxSamples: 50_000_000, maxMemory: 2 * 2 ** 30, concurrency: 8 },
      rules: { files: ['rules/*.yaml'], packs: ['mesh'], evaluationInterval: 60_000, queryOffset: 0 },
      alerting: { configFile: null },
    })
  })

  test('is frozen to the bottom', () => {
    const result = load(null)
    if (!result.isValid) throw new Error('the defaults are bad')
    expect(Object.isFrozen(result.config.ingest.journal)).toBe(true)
    expect(Object.isFrozen(result.config.rules.files)).toBe(true)
  })

  test('defaults < file < environment < arguments', () => {
    const port = (result: ReturnType<typeof loadConfig>) => (result.isValid ? result.config.http.port : null)
    expect(port(load(null))).toBe(9797)
    expect(port(load('http: { port: 1 }'))).toBe(1)
    expect(port(load('http: { port: 1 }', { MESHWATCH_HTTP__PORT: '2' }))).toBe(2)
    const result = load('dataDir: /a', { MESHWATCH_DATA_DIR: '/b' }, '/c')
    expect(result.isValid && result.config.dataDir).toBe('/c')
  })

  test('relative paths in a file are relative to the file, others as they are', () => {
    const result = load('dataDir: d\nrules: { files: [r/*.yaml] }', { MESHWATCH_INGEST__JOURNAL__DIR: 'j' })
    if (!result.isValid) throw new Error(problemsOf(result).join())
    expect(result.config.dataDir).toBe(join(dir, 'd'))
    expect(result.config.rules.files).toEqual([join(dir, 'r/*.yaml')])
    expect(result.config.ingest.journal.dir).toBe('j')
  })

  test('a file that cannot be read is one problem', () => {
    mkdirSync(join(dir, 'folder'))
    const result = loadConfig({ file: join(dir, 'folder'), environment: {}, dataDir: null })
    expect(problemsOf(result)).toEqual([expect.stringMatching(/^expected a readable file: .*\(folder\)$/)])
  })
})

describe('a secret', () => {
  test('comes from a file, without the line end', () => {
    writeFileSync(join(dir, 'password'), ' s3cret pass \n')
    const result = load('clickhouse: { passwordFile: password }')
    expect(result.isValid && String(revealed(result.config.clickhouse.password))).toBe(' s3cret pass ')
    expect(result.isValid && parse(printConfig(result.values)).clickhouse).toMatchObject({
      password: null,
      passwordFile: join(dir, 'password'),
    })
  })

  test('from a stronger source wins over the weaker source file', () => {
    const result = load('clickhouse: { passwordFile: missing }', { MESHWATCH_CLICKHOUSE__PASSWORD: '0123' })
    expect(result.isValid && revealed(result.config.clickhouse.password)).toBe('0123')
  })

  test('is never printed, not even when it is wrong', () => {
    const good = load('telemetry: { token: hunter2 }\nclickhouse: { password: hunter2 }')
    if (!good.isValid) throw new Error('bad')
    expect(printConfig(good.values)).not.toContain('hunter2')
    expect(parse(printConfig(good.values)).clickhouse.password).toBe('<secret>')
    expect(inspect(good.config.telemetry) + JSON.stringify(good.config.telemetry)).not.toContain('hunter2')
    const bad = load('clickhouse: { password: [hunter2] }\ntelemetry: { token: { x: hunter2 } }')
    expect(problemsOf(bad)).toHaveLength(2)
    expect(problemsOf(bad).join()).not.toContain('hunter2')
  })
})

test('the printed defaults, read again, are the defaults', () => {
  const result = load(null)
  if (!result.isValid) throw new Error('bad')
  const again = load(printConfig(result.values).replace('dataDir: ./data\n', ''))
  expect(again.isValid && { ...again.config, dataDir: './data', rules: null }).toEqual({
    ...configSchema.parse({}),
    rules: null,
  })
})

function revealed(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'reveal' in value
    ? (value.reveal as () => string)()
    : value
}
