import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from './differential/ask.ts'
import { compareAnswers } from './differential/compare-answers.ts'
import { exposition } from './differential/exposition.ts'
import { feed } from './differential/feed.ts'
import { judge, questionText } from './differential/judge.ts'
import { JUDGED_METRICS, SELF_METRICS } from './differential/judged-metrics.ts'
import { judgedSeries } from './differential/judged-series.ts'
import { type PrometheusProcess, prometheusVersion, startPrometheus } from './support/prometheus-process.ts'
import { seededRandom } from './support/seeded-random.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'
import { testSeed } from './support/test-seed.ts'
import { waitUntil } from './support/wait-until.ts'

const version = prometheusVersion()
if (version === null) console.info('The judge is skipped: prometheus is not installed')

const HISTORY_MS = 7_200_000
const SCRAPES = 15
const INSTANT = 1_500
const RANGE = 500

/**
 * A real Prometheus is given two hours of series, then scrapes a target that shows more of them, and itself, and writes what it scrapes to us.
 * Afterwards both are asked the same.
 */
describe.skipIf(version === null)(`beside Prometheus ${version}`, () => {
  // The same questions each time: others are asked by `npm run differential`, or with a seed given.
  const seed = testSeed('prometheus-differential', 362556337)
  const directory = mkdtempSync(join(tmpdir(), 'meshwatch-differential-'))
  let prometheus: PrometheusProcess
  let server: MeshwatchServer
  let target: Server
  let ours: string
  let startMs: number
  let endMs: number

  beforeAll(async () => {
    ;[prometheus, server] = await Promise.all([
      startPrometheus({ directory }),
      startMeshwatch({ environment: { MESHWATCH_RULES__PACKS: '[]', MESHWATCH_RULES__FILES: '[]' } }),
    ])
    ours = `${server.url}/prometheus`
    const historyEndMs = Math.floor(Date.now() / 1000) * 1000
    startMs = historyEndMs - HISTORY_MS
    const history = judgedSeries(seededRandom(seed), { startMs, endMs: historyEndMs })
    await feed(prometheus.url, history)
    await feed(ours, history)
    let scrapes = 0
    const shown = judgedSeries(
      seededRandom(seed + 1),
      { startMs: 0, endMs: 15_000 * SCRAPES },
      { hasResets: false },
    )
    target = createServer((_, response) => response.end(exposition(shown, 0, scrapes++))).listen(
      0,
      '127.0.0.1',
    )
    await once(target, 'listening')
    const address = target.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await reload(scrapingConfig(port, prometheus.url, ours))
    await waitUntil('the target was scraped', () => scrapes >= SCRAPES, 60_000)
    await reload(`global: {}\n${remoteWrite(ours)}`)
    await settled()
    endMs = Math.floor(Date.now() / 1000) * 1000
  }, 120_000)

  afterAll(async () => {
    target?.close()
    await prometheus?.stop()
    await server?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  /** The configuration in force becomes this one. */
  async function reload(config: string): Promise<void> {
    writeFileSync(join(directory, 'prometheus.yml'), config)
    prometheus.child.kill('SIGHUP')
    const isLoaded = async () => {
      const { data } = (await (await fetch(`${prometheus.url}/api/v1/status/config`)).json()) as {
        readonly data: { readonly yaml: string }
      }
      return (
        data.yaml.includes('scrape_configs') === config.includes('scrape_configs') &&
        data.yaml.includes('remote_write')
      )
    }
    await waitUntil('the configuration is loaded', isLoaded)
  }

  /** Nothing is scraped any more, also no end of a series told, and we have all that Prometheus has. */
  async function settled(): Promise<void> {
    const everything = { expr: '{__name__!=""}[10m]', timeMs: Date.now() + 120_000 }
    let before = -1
    await waitUntil('we have what Prometheus has', async () => {
      await delay(1_000)
      const [theirs, mine] = await Promise.all([ask(prometheus.url, everything), ask(ours, everything)])
      const samples =
        'series' in theirs ? theirs.series.reduce((sum, { points }) => sum + points.length, 0) : 0
      const isSettled = samples === before && compareAnswers(theirs, mine) === null
      before = samples
      return isSettled
    })
  }

  test('an answer that is a little wrong is seen', async () => {
    const timeMs = endMs + 4
    const theirs = await ask(prometheus.url, { expr: 'sum(queue_length + 100)', timeMs })
    expect(compareAnswers(theirs, await ask(ours, { expr: 'sum(queue_length + 100)', timeMs }))).toBeNull()
    const mine = await ask(ours, { expr: 'sum(queue_length + 100) * 1.0001', timeMs })
    expect(compareAnswers(theirs, mine)).not.toBeNull()
  })

  test(`${INSTANT} instant and ${RANGE} range queries have the same answers`, async () => {
    const everything = await ask(prometheus.url, { expr: '{__name__!=""}[3h]', timeMs: endMs + 600_000 })
    const times =
      'series' in everything ? everything.series.flatMap(({ points }) => points.map(([time]) => time)) : []
    const verdict = await judge({
      theirs: prometheus.url,
      ours,
      seed,
      instant: INSTANT,
      range: RANGE,
      series: { startMs, endMs },
      metrics: [...JUDGED_METRICS, ...SELF_METRICS],
      sampleMs: new Set(times.map((time) => Math.round(time * 1000) % 1000)),
    })
    const { asked, errors, empty, known, differences } = verdict
    console.info(
      `MESHWATCH_TEST_SEED=${seed}: ${asked} asked, ${errors} refused by both, ${empty} empty; known differences: ${[...known].map(([reason, count]) => `${count} × ${reason}`).join('; ')}`,
    )
    expect(
      differences.map(({ question, problem, smallest, smallestProblem }) => ({
        question: questionText(question),
        problem,
        smallest: questionText(smallest),
        smallestProblem,
      })),
    ).toEqual([])
    expect(asked).toBe(INSTANT + RANGE)
    // The generator would be worth nothing if most had no answer.
    expect(errors + empty).toBeLessThan(asked / 2)
  }, 240_000)
})

function remoteWrite(base: string): string {
  return `remote_write: [{ url: '${base}/api/v1/write', queue_config: { batch_send_deadline: 500ms } }]\n`
}

function scrapingConfig(port: number, own: string, base: string): string {
  return `global: { scrape_interval: 1s }
${remoteWrite(base)}scrape_configs:
- { job_name: live, honor_labels: true, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }
- { job_name: self, static_configs: [{ targets: ['${new URL(own).host}'] }] }
`
}
