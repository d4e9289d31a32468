import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'

const PATIENCE = { timeout: 50_000, interval: 100 }

let dir: string
let target: Server
let address: string
let meshwatch: MeshwatchServer
let status = 200
let body = ''
let requests = 0

const PAGE = (count: number) => `# HELP shop_orders_total Orders taken.
# TYPE shop_orders_total counter
shop_orders_total{kind="gift",weird="a \\"b\\" \\\\ \\n"} ${count}
# TYPE shop_queue gauge
shop_queue{queue="mail"} 7
shop_noise 1
`

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'meshwatch-scrape-'))
  target = createServer((_, response) => {
    requests += 1
    response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4' }).end(body || PAGE(requests))
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  address = `127.0.0.1:${(target.address() as AddressInfo).port}`
  writeFileSync(join(dir, 'prometheus.yml'), prometheusFile('shop'))
  writeFileSync(join(dir, 'meshwatch.yaml'), 'scrape: { configFile: prometheus.yml }\n')
  meshwatch = await startMeshwatch({
    dataDir: join(dir, 'data'),
    args: ['--config', join(dir, 'meshwatch.yaml')],
  })
})

afterAll(async () => {
  meshwatch.child.kill('SIGTERM')
  await meshwatch.exit
  target.closeAllConnections()
  await new Promise((resolve) => target.close(resolve))
  rmSync(dir, { recursive: true, force: true })
})

function prometheusFile(job: string): string {
  return `
scrape_configs:
  - job_name: ${job}
    scrape_interval: 1s
    scrape_timeout: 1s
    static_configs: [{ targets: ['${address}', 'dropped:1'], labels: { zone: z1 } }]
    relabel_configs: [{ source_labels: [__address__], regex: 'dropped:.*', action: drop }]
    metric_relabel_configs: [{ source_labels: [__name__], regex: 'shop_noise', action: drop }]
`
}

async function ask<Data>(path: string): Promise<Data> {
  const response = await fetch(`${meshwatch.url}/prometheus/api/v1/${path}`)
  expect(response.status).toBe(200)
  return ((await response.json()) as { data: Data }).data
}

interface Vector {
  readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[]
}

async function query(expr: string) {
  const { result } = await ask<Vector>(`query?query=${encodeURIComponent(expr)}`)
  return result.map(({ metric, value }) => [metric, value[1]] as const)
}

describe('a server that scrapes', () => {
  test('answers PromQL about its targets', async () => {
    const common = { instance: address, job: 'shop', zone: 'z1' }
    await vi.waitFor(async () => {
      expect(await query('up')).toEqual([[{ __name__: 'up', ...common }, '1']])
      expect(await query('increase(shop_orders_total[1m]) > 1')).toHaveLength(1)
    }, PATIENCE)
    expect(await query('shop_queue')).toEqual([[{ __name__: 'shop_queue', queue: 'mail', ...common }, '7']])
    expect((await query('shop_orders_total'))[0]?.[0]['weird']).toBe('a "b" \\ \n')
    expect(await query('shop_noise')).toEqual([])
    expect(await query('scrape_samples_scraped - scrape_samples_post_metric_relabeling')).toEqual([
      [common, '1'],
    ])
    expect(await ask('metadata?metric=shop_orders_total')).toMatchObject({
      shop_orders_total: [{ type: 'counter', help: 'Orders taken.' }],
    })
  })

  test('tells about targets as Prometheus does', async () => {
    const data = await ask<{ activeTargets: object[]; droppedTargets: object[] }>('targets')
    expect(data.activeTargets).toEqual([
      expect.objectContaining({
        scrapePool: 'shop',
        scrapeUrl: `http://${address}/metrics`,
        labels: { instance: address, job: 'shop', zone: 'z1' },
        health: 'up',
        lastError: '',
        scrapeInterval: '1s',
      }),
    ])
    expect(data.droppedTargets).toHaveLength(1)
    expect(await ask('targets?state=dropped')).toMatchObject({ activeTargets: [] })
  })

  test('ends series that are gone, and all of a target that fails', async () => {
    body = 'shop_queue{queue="other"} 1\n'
    await vi.waitFor(async () => {
      expect((await query('shop_queue')).map(([{ queue }]) => queue)).toEqual(['other'])
      expect(await query('shop_orders_total')).toEqual([])
    }, PATIENCE)
    status = 500
    await vi.waitFor(async () => {
      expect((await query('up'))[0]?.[1]).toBe('0')
      expect(await query('shop_queue')).toEqual([])
    }, PATIENCE)
    status = 200
    body = 'this is no page {'
    await vi.waitFor(async () => {
      const { activeTargets } = await ask<{ activeTargets: { lastError: string }[] }>('targets')
      expect(activeTargets[0]?.lastError).toMatch(/^Cannot read the metrics: .* in line 1$/)
    }, PATIENCE)
    body = ''
  })

  test('a reload with a broken file is refused: everything stays as it was', async () => {
    await vi.waitFor(async () => expect((await query('up'))[0]?.[1]).toBe('1'), PATIENCE)
    writeFileSync(join(dir, 'prometheus.yml'), `${prometheusFile('store')}  - [`)
    meshwatch.child.kill('SIGHUP')
    expect(await meshwatch.event('reload-failed')).toMatchObject({
      what: 'scrape jobs',
      reason: expect.stringMatching(/^Cannot load the scrape jobs: .*prometheus\.yml: expected YAML: /),
      msg: 'The scrape jobs in force stay as they were',
    })
    const before = requests
    await vi.waitFor(() => expect(requests).toBeGreaterThan(before + 1), PATIENCE)
    const { activeTargets } = await ask<{ activeTargets: object[] }>('targets')
    expect(activeTargets).toMatchObject([{ scrapePool: 'shop', health: 'up' }])
  })

  test('a reload ends the targets that are gone and begins those that are new', async () => {
    await vi.waitFor(async () => expect((await query('up'))[0]?.[1]).toBe('1'), PATIENCE)
    writeFileSync(join(dir, 'prometheus.yml'), prometheusFile('store'))
    meshwatch.child.kill('SIGHUP')
    await vi.waitFor(async () => {
      expect((await query('up')).map(([{ job }]) => job)).toEqual(['store'])
      expect((await query('shop_queue')).map(([{ job }]) => job)).toEqual(['store'])
    }, PATIENCE)
  })
})
