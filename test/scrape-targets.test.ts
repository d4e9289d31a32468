import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type PrometheusProcess, prometheusVersion, startPrometheus } from './support/prometheus-process.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'

const PATIENCE = { timeout: 20_000, interval: 100 }
const version = prometheusVersion()

interface Target {
  readonly scrapePool: string
  readonly scrapeUrl: string
  readonly labels: Readonly<Record<string, string>>
  readonly discoveredLabels: Readonly<Record<string, string>>
  readonly scrapeInterval: string
  readonly scrapeTimeout: string
}
interface Targets {
  readonly activeTargets: readonly Target[]
  readonly droppedTargets: readonly Pick<Target, 'discoveredLabels'>[]
}

/** What is known of the targets, sorted. */
async function targetsOf(url: string): Promise<{ active: string[]; dropped: string[] }> {
  const response = await fetch(`${url}/api/v1/targets`)
  expect(response.status).toBe(200)
  const { data } = (await response.json()) as { data: Targets }
  const sorted = (labels: object) => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  const active = data.activeTargets.map((target) => {
    const { scrapePool, scrapeUrl, scrapeInterval, scrapeTimeout, labels, discoveredLabels } = target
    const what = [
      scrapePool,
      scrapeUrl,
      scrapeInterval,
      scrapeTimeout,
      sorted(labels),
      sorted(discoveredLabels),
    ]
    return JSON.stringify(what)
  })
  const dropped = data.droppedTargets.map(({ discoveredLabels }) => JSON.stringify(sorted(discoveredLabels)))
  return { active: active.sort(), dropped: dropped.sort() }
}

describe.skipIf(version === null)(
  `one configuration, read by us and by Prometheus (${version ?? 'not installed: skipped'})`,
  () => {
    let dir: string
    let server: Server
    let address: string
    let prometheus: PrometheusProcess
    let meshwatch: MeshwatchServer

    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'meshwatch-targets-'))
      mkdirSync(join(dir, 'sd'))
      server = createServer((_, response) => {
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end('a 1\n')
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      address = `127.0.0.1:${(server.address() as AddressInfo).port}`
      write('a.json', JSON.stringify([{ targets: [address, 'drop:1'], labels: { zone: 'z1', job: 'own' } }]))
      write(
        'b.yml',
        `- targets: ['${address}']\n  labels: { zone: "2", __metrics_path__: /b }\n- targets: []\n`,
      )
      write('c.yaml', 'this is no list of groups')
      const config = `
global: { scrape_interval: 30s, scrape_timeout: 5s }
scrape_configs:
  - job_name: files
    file_sd_configs: [{ files: ['sd/*.json', 'sd/b.yml', 'sd/*.yaml', 'sd/none.json'], refresh_interval: 1s }]
    relabel_configs:
      - { source_labels: [__address__], regex: 'drop.*', action: drop }
      - { source_labels: [__meta_filepath], regex: '.*/(.*)', target_label: file }
  - job_name: probes
    metrics_path: /probe
    params: { module: [x] }
    scrape_interval: 10s
    static_configs: [{ targets: ['https://example.com/a?b=c', '${address}'], labels: { kind: probe } }]
    relabel_configs:
      - { source_labels: [__address__], target_label: __param_target }
      - { source_labels: [__param_target], target_label: instance }
      - { target_label: __address__, replacement: '${address}' }
`
      prometheus = await startPrometheus({ directory: dir, config })
      writeFileSync(join(dir, 'meshwatch.yaml'), 'scrape: { configFile: prometheus.yml }\n')
      meshwatch = await startMeshwatch({
        dataDir: join(dir, 'meshwatch'),
        args: ['--config', join(dir, 'meshwatch.yaml')],
      })
    }, 60_000)
    afterAll(async () => {
      await prometheus?.stop()
      meshwatch?.child.kill('SIGTERM')
      await meshwatch?.exit
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(dir, { recursive: true, force: true })
    })

    function write(file: string, text: string): void {
      writeFileSync(join(dir, 'sd', file), text)
    }

    /** Waits until Prometheus has so many targets, and until we have the same. */
    async function expectSame(active: number, dropped: number): Promise<void> {
      await vi.waitFor(async () => {
        const theirs = await targetsOf(prometheus.url)
        expect([theirs.active.length, theirs.dropped.length]).toEqual([active, dropped])
        expect(await targetsOf(`${meshwatch.url}/prometheus`)).toEqual(theirs)
      }, PATIENCE)
    }

    test('comes to the same targets, and follows the files in the same way', {
      timeout: 90_000,
    }, async () => {
      await expectSame(4, 1)
      // A file that broke, one that is mended, one that is gone, one that is new.
      write('a.json', '[{"targets":')
      write('c.yaml', `- targets: ['${address}']\n  labels: { zone: z3 }\n`)
      await expectSame(5, 1)
      rmSync(join(dir, 'sd', 'b.yml'))
      write('d.json', JSON.stringify([{ targets: ['drop:2', address], labels: { zone: 'z4' } }]))
      await expectSame(5, 2)
      write('a.json', '[]')
      await expectSame(4, 1)
    })
  },
)
