import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAlertmanagerConfig } from '../alerting/configuration/parse-alertmanager-config.ts'
import { registerAlertmanagerApi } from '../alerting/http/register-alertmanager-api.ts'
import { DEFAULT_TENANT } from '../runtime/access-control.ts'
import { systemClock } from '../runtime/clock.ts'
import { createHttpServer } from '../runtime/http-server.ts'
import { CONFIG_CASES } from './support/alertmanager-configs.ts'
import { openVirtualAlerting, type VirtualAlerting } from './support/virtual-alerting.ts'

const run = promisify(execFile)

function isInstalled(): boolean {
  try {
    execFileSync('amtool', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const isThere = isInstalled()
if (!isThere) console.warn('amtool is not installed: its tests are skipped')

describe.skipIf(!isThere)("Debian's amtool", () => {
  let world: VirtualAlerting
  let app: FastifyInstance
  let url: string

  beforeAll(async () => {
    world = await openVirtualAlerting(CONFIG_CASES['everything']?.text ?? '', { clock: systemClock })
    app = createHttpServer({
      access: { isEnforced: false, authorize: () => ({ tenant: DEFAULT_TENANT }) },
      tls: null,
      clock: systemClock,
      logger: pino({ level: 'silent' }),
      registry: new Registry(),
    })
    registerAlertmanagerApi(app, world.alerting)
    await app.listen({ host: '127.0.0.1', port: 0 })
    url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/alertmanager`
  })

  afterAll(async () => {
    await app?.close()
    await world?.close()
  })

  async function amtool(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('amtool', [`--alertmanager.url=${url}`, ...args], { timeout: 20_000 })
    return stdout.trim()
  }

  test('adds, lists, changes and expires silences', async () => {
    const id = await amtool(
      'silence',
      'add',
      '--author=ann',
      '--comment=works on it',
      '--duration=2h',
      'alertname=A',
      'service=~"ca.*"',
    )
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    const [silence] = JSON.parse(await amtool('-o', 'json', 'silence', 'query', 'alertname=A'))
    expect(silence).toMatchObject({
      id,
      createdBy: 'ann',
      comment: 'works on it',
      status: { state: 'active' },
      matchers: [
        { name: 'alertname', value: 'A', isRegex: false, isEqual: true },
        { name: 'service', value: 'ca.*', isRegex: true, isEqual: true },
      ],
    })
    expect(await amtool('silence', 'query', '-q', 'alertname=B')).toBe('')
    expect(await amtool('silence', 'update', '--duration=3h', '--comment=longer', id)).toContain('longer')
    await amtool('silence', 'expire', id)
    expect(await amtool('silence', 'query', '-q')).toBe('')
    expect(await amtool('silence', 'query', '-q', '--expired')).toBe(id)
    await expect(amtool('silence', 'expire', '11111111-1111-1111-1111-111111111111')).rejects.toThrow()
  })

  test('adds and lists alerts, with what silences them', async () => {
    await amtool('alert', 'add', 'alertname=Disk', 'service=cart', '--annotation=summary=full')
    await amtool('alert', 'add', 'alertname=Cpu', 'service=payments')
    expect(await amtool('alert', 'query', '-o', 'simple')).toMatch(/Disk .*full/)
    const id = await amtool('silence', 'add', '--author=ann', '--comment=x', 'alertname=Disk')
    const alerts = JSON.parse(await amtool('-o', 'json', 'alert', 'query', '--silenced'))
    expect(alerts).toEqual([
      expect.objectContaining({
        labels: { alertname: 'Disk', service: 'cart' },
        annotations: { summary: 'full' },
        status: { state: 'suppressed', silencedBy: [id], inhibitedBy: [] },
        receivers: [{ name: 'oncall' }],
      }),
    ])
    const unsilenced = JSON.parse(await amtool('-o', 'json', 'alert', 'query', 'service=~"pay.*"'))
    expect(unsilenced.map((alert: { labels: unknown }) => alert.labels)).toEqual([
      { alertname: 'Cpu', service: 'payments' },
    ])
  })

  test('shows the configuration without its secrets, and the routes it means', async () => {
    const shown = await amtool('config', 'show')
    expect(shown).toContain('receiver: oncall')
    expect(shown).toContain('<secret>')
    expect(shown).not.toContain('hunter2')
    expect(await amtool('config', 'routes', 'test', 'severity=page')).toBe('pager')
    expect(await amtool('cluster', 'show')).toContain('disabled')
  })
})

describe.skipIf(!isThere)('amtool check-config agrees about', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshwatch-amtool-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test.each(Object.entries(CONFIG_CASES).filter(([, { isJudgedByAmtool }]) => isJudgedByAmtool !== false))(
    '%s',
    async (name, { text, problems }) => {
      const file = join(folder, `${name.replaceAll(/\W/g, '-')}.yml`)
      writeFileSync(file, text)
      const verdict = await run('amtool', ['check-config', file]).then(
        () => 'good',
        () => 'bad',
      )
      const ours = parseAlertmanagerConfig(text, { folder, readTemplates: () => [] })
      expect(verdict).toBe(problems.length === 0 ? 'good' : 'bad')
      expect(ours.problems.length === 0 ? 'good' : 'bad').toBe(verdict)
    },
  )
})
