import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type MeshwatchServer, runMeshwatch, startMeshwatch } from './support/start-meshwatch.ts'
import { waitUntil } from './support/wait-until.ts'

const run = promisify(execFile)

function hasAmtool(): boolean {
  try {
    execFileSync('amtool', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const isAmtoolThere = hasAmtool()
if (!isAmtoolThere) console.warn('amtool is not installed: its test is skipped')

const rulesWith = (alert: string): string => `groups:
- name: test
  interval: 1s
  rules:
  - { alert: ${alert}, expr: vector(7) > 1, labels: { severity: page } }
`
const ALERTMANAGER = `route: { receiver: on-call }
receivers:
- name: on-call
`

describe('rules and alerting in the server', () => {
  let folder: string
  let server: MeshwatchServer | null = null

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'meshwatch-role-'))
  })

  afterEach(async () => {
    await server?.stop()
    server = null
    rmSync(folder, { recursive: true, force: true })
  })

  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  const settings = (rules: string, alertmanager: string | null): Record<string, string> => ({
    MESHWATCH_RULES__FILES: JSON.stringify([file('rules.yaml', rules)]),
    MESHWATCH_RULES__PACKS: '[]',
    ...(alertmanager === null
      ? {}
      : { MESHWATCH_ALERTING__CONFIG_FILE: file('alertmanager.yaml', alertmanager) }),
  })

  const ask = async <Answer>(path: string): Promise<Answer> =>
    (await (await fetch(`${server?.url}${path}`)).json()) as Answer

  const firing = async (): Promise<(string | undefined)[]> => {
    const { data } = await ask<{ data: { alerts: { state: string; labels: Record<string, string> }[] } }>(
      '/prometheus/api/v1/alerts',
    )
    return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels['alertname'])
  }

  test('without a configuration of receivers alerts are seen everywhere, and nobody is told', async () => {
    server = await startMeshwatch({
      dataDir: join(folder, 'data'),
      environment: settings(rulesWith('Seven'), null),
    })
    await waitUntil('it fires', async () => (await firing()).includes('Seven'))
    await waitUntil('alerting has it', async () => {
      const alerts = await ask<{ labels: Record<string, string> }[]>('/alertmanager/api/v2/alerts')
      return alerts[0]?.labels['alertname'] === 'Seven'
    })
    const { alerts } = await ask<{ alerts: object[] }>('/api/alerts')
    expect(alerts).toMatchObject([
      { state: 'firing', value: '7', labels: { alertname: 'Seven', severity: 'page' } },
    ])
    const { generatorUrl } = alerts[0] as { readonly generatorUrl: string }
    expect(await (await fetch(generatorUrl)).json(), generatorUrl).toMatchObject({
      status: 'success',
      data: { resultType: 'vector', result: [{ value: [expect.any(Number), '7'] }] },
    })
    expect(await ask('/api/rules')).toMatchObject({
      groups: [{ name: 'test', rules: [{ name: 'Seven', health: 'ok', state: 'firing' }] }],
    })
    expect(await ask('/api/notifications')).toEqual({ notifications: [] })
    expect(await ask('/readyz')).toMatchObject({ dependencies: { alerting: { isReady: true } } })
  })

  test('SIGHUP takes new rules; bad files leave the old ones in force and say so', async () => {
    server = await startMeshwatch({
      dataDir: join(folder, 'data'),
      environment: settings(rulesWith('Before'), ALERTMANAGER),
    })
    await waitUntil('it fires', async () => (await firing()).includes('Before'))
    const reloads = (event: string) => server?.lines.filter((line) => line['event'] === event) ?? []

    file('rules.yaml', 'groups:\n- name: test\n  rules:\n  - { alert: Bad, expr: "sum(" }\n')
    file('alertmanager.yaml', 'route: { receiver: nobody-knows }\nreceivers: []\n')
    server.child.kill('SIGHUP')
    await waitUntil('both are refused', () => reloads('reload-failed').length === 2)
    expect(reloads('reload-failed')).toMatchObject([
      {
        what: 'alerting configuration',
        reason: expect.stringMatching(/alertmanager\.yaml:1:\d+: .*nobody-knows/s),
      },
      { what: 'rules', reason: expect.stringMatching(/rules\.yaml: 4:\d+: /) },
    ])
    expect(await firing()).toEqual(['Before'])

    file('rules.yaml', rulesWith('After'))
    file('alertmanager.yaml', `${ALERTMANAGER}- name: second\n`)
    server.child.kill('SIGHUP')
    await waitUntil('the new rule fires', async () => (await firing()).includes('After'))
    expect(await ask('/alertmanager/api/v2/receivers')).toMatchObject([
      { name: 'on-call' },
      { name: 'second' },
    ])
  })

  test.each([
    [
      'a rule',
      'groups:\n- name: test\n  rules:\n  - { alert: Bad, expr: "sum(" }\n',
      ALERTMANAGER,
      'rules.yaml: 4:',
    ],
    ['a receiver', rulesWith('Good'), 'route: { receiver: nobody }\nreceivers: []\n', 'alertmanager.yaml:1:'],
  ])(
    '%s that is bad keeps it from starting, and the place is named',
    async (_, rules, alertmanager, place) => {
      const started = runMeshwatch({
        args: ['serve', '--data-dir', join(folder, 'data')],
        environment: settings(rules, alertmanager),
      })
      expect(await started.exit).toBe(1)
      expect(started.stderr()).toContain(place)
      expect(started.stderr()).toMatch(/^Cannot .*\n$/)
    },
  )

  test.skipIf(!isAmtoolThere)('amtool sees the alerts of rules and silences them', async () => {
    server = await startMeshwatch({
      dataDir: join(folder, 'data'),
      environment: settings(rulesWith('Seven'), ALERTMANAGER),
    })
    const amtool = async (...args: readonly string[]) =>
      (await run('amtool', [`--alertmanager.url=${server?.url}/alertmanager`, ...args])).stdout
    await waitUntil('alerting has it', async () =>
      (await amtool('alert', 'query', 'severity=page')).includes('Seven'),
    )
    const id = (await amtool('silence', 'add', 'alertname=Seven', '-c', 'known', '-a', 'tester')).trim()
    expect(await amtool('alert', 'query')).not.toContain('Seven')
    expect(await amtool('alert', 'query', '--silenced')).toContain('Seven')
    const { silences } = await ask<{ silences: object[] }>('/api/silences')
    expect(silences).toMatchObject([{ id, state: 'active', comment: 'known' }])
  })
})
