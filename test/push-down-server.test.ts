import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { labelsFrom, labelsText } from '../model/labels.ts'
import { createMetricsEngine } from '../query/metrics/create-metrics-engine.ts'
import { createSampleWriter } from '../query/metrics/create-sample-writer.ts'
import { createQueryTrace } from '../query/promql/query-plan.ts'
import { systemClock } from '../runtime/clock.ts'
import { clickHouseConfig, queryConfig, readLimits } from '../storage/config.ts'
import { connectStorage } from '../storage/connect-storage.ts'
import type { ManagedStorage } from '../storage/storage.ts'
import { type ClickHouseServer, startClickHouseServer } from './support/clickhouse-server.ts'

const NOW = Date.now()
const PODS = 300

let dataDir: string
let server: ClickHouseServer

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'meshwatch-pushdown-'))
  server = await startClickHouseServer({ username: 'mesh', password: 'secret' })
})
afterAll(async () => {
  await server.remove()
  await rm(dataDir, { recursive: true })
})

describe.each([null, 'mesh'])('a server, cluster %s', (cluster) => {
  let storage: ManagedStorage
  beforeAll(async () => {
    storage = await connectStorage({
      config: clickHouseConfig.parse({
        url: server.url,
        username: 'mesh',
        password: 'secret',
        database: cluster === null ? 'meshwatch' : 'meshwatch_cluster',
        cluster,
      }),
      dataDir,
      limits: readLimits(queryConfig.parse({})),
      queryConcurrency: 2,
      clock: systemClock,
      logger: pino({ level: 'silent' }),
      registry: new Registry(),
    })
  })
  afterAll(() => storage.close())

  test('computes what it is tried on, and gives what samples give', async () => {
    const writer = createSampleWriter(storage)
    const samples = Array.from({ length: PODS }, (_, pod) =>
      Array.from({ length: 30 }, (_, i) => ({
        labels: labelsFrom([
          ['__name__', 'm_total'],
          ['job', `j${pod % 3}`],
          ['pod', String(pod)],
        ]),
        timestampMs: NOW - i * 15_000,
        value: (40 - i) * (pod + 1),
      })),
    ).flat()
    await writer.write('t', samples, `server ${cluster}`)
    for (const expr of [
      'sum by (job) (rate(m_total[2m]))',
      'irate(m_total{pod=~"1|2"}[1m])',
      'count(m_total)',
    ]) {
      const trace = createQueryTrace()
      const query = { tenant: 't', expr, startMs: NOW - 120_000, endMs: NOW, stepMs: 20_000 }
      const answers = []
      for (const path of ['pushdown', 'raw'] as const) {
        const engine = createMetricsEngine({ storage, clock: systemClock }, { path })
        const result = await engine.range(path === 'raw' ? query : { ...query, trace })
        answers.push(
          result.type === 'matrix'
            ? result.matrix.map(({ labels, values }) => [
                labelsText(labels),
                [...values].map((value) => value.toPrecision(12)),
              ])
            : [],
        )
      }
      expect(trace.units.map(({ path }) => path)).toEqual(['pushdown'])
      expect(answers[0]).toEqual(answers[1])
      expect(answers[0]?.length).toBeGreaterThan(0)
    }
  })
})
