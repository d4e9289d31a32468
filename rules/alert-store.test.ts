import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { labelsFrom } from '../model/labels.ts'
import type { Storage } from '../storage/storage.ts'
import { type ClickHouseServer, startClickHouseServer } from '../test/support/clickhouse-server.ts'
import { openTestStorage } from '../test/support/open-test-storage.ts'
import { createAlertStore, type StoredAlert } from './alert-store.ts'

const NOW = Math.floor(Date.now() / 1000) * 1000

let dataDir: string
let server: ClickHouseServer
let storages: Record<'embedded' | 'server', Storage>

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'meshwatch-alert-store-'))
  server = await startClickHouseServer()
  storages = {
    embedded: await openTestStorage({ dataDir }),
    server: await openTestStorage({ dataDir, url: server.url }),
  }
})
afterAll(async () => {
  await Promise.all(Object.values(storages).map((storage) => storage.close()))
  await server.remove()
  await rm(dataDir, { recursive: true })
})

function stored(
  name: string,
  {
    alert,
    ...change
  }: Partial<Omit<StoredAlert, 'alert'>> & { readonly alert?: Partial<StoredAlert['alert']> } = {},
): StoredAlert {
  return {
    group: 'r.yml;g',
    rule: 'rule',
    alertName: 'Down',
    isGone: false,
    from: 'none',
    atMs: NOW,
    ...change,
    alert: {
      labels: labelsFrom([
        ['alertname', 'Down'],
        ['name', name],
      ]),
      annotations: labelsFrom([['summary', `it's "${name}"\n\t\\ {x} ☃`]]),
      value: 1.5,
      state: 'firing',
      activeAtMs: NOW - 60_000,
      firedAtMs: NOW,
      resolvedAtMs: null,
      keepFiringSinceMs: null,
      lastSentAtMs: NOW,
      ...alert,
    },
  }
}

describe.each(['embedded', 'server'] as const)('createAlertStore, %s', (kind) => {
  test('gives back what was saved, whatever the texts and numbers', async () => {
    const store = createAlertStore(storages[kind])
    const saved = [
      stored('plain'),
      stored('quotes \' and " and `'),
      stored('lines\n\ttabs\\ 日本 🎉 {tenant:String}'),
      stored('__proto__', { alert: { value: Number.POSITIVE_INFINITY, keepFiringSinceMs: NOW } }),
      stored('nan', { alert: { value: Number.NaN, state: 'pending', firedAtMs: null, lastSentAtMs: null } }),
      stored('ended', { alert: { value: -1e-300, state: 'inactive', resolvedAtMs: NOW } }),
    ]
    await store.save('texts', saved)
    const loaded = await createAlertStore(storages[kind]).load('texts')
    const byName = (list: readonly Pick<StoredAlert, 'group' | 'rule' | 'alert' | 'atMs'>[]) =>
      new Map(
        list.map(({ group, rule, alert, atMs }) => [alert.labels.join('\n'), { group, rule, alert, atMs }]),
      )
    expect(byName(loaded)).toEqual(byName(saved))
    expect(await store.load('others')).toEqual([])
  })

  test('the newest state counts, also when the clock went back; what is gone is gone', async () => {
    const store = createAlertStore(storages[kind])
    await store.save('order', [stored('a'), stored('b'), stored('c')])
    await store.save('order', [
      stored('a', { atMs: NOW + 1000, alert: { state: 'inactive', resolvedAtMs: NOW + 1000 } }),
      stored('b', { atMs: NOW + 1000, isGone: true }),
    ])
    const later = createAlertStore(storages[kind])
    await later.load('order')
    await later.save('order', [stored('c', { atMs: NOW - 3_600_000, alert: { value: 7 } })])
    const states = (await later.load('order')).map(({ alert }) => [
      alert.labels.at(-1),
      alert.state,
      alert.value,
    ])
    expect(states).toEqual([
      ['a', 'inactive', 1.5],
      ['c', 'firing', 7],
    ])
  })

  test('saves many at once', async () => {
    const store = createAlertStore(storages[kind])
    const many = Array.from({ length: 450 }, (_, index) => stored(`${index} ${'x'.repeat(500)}`))
    await store.save('many', many)
    expect(await store.load('many')).toHaveLength(450)
  })
})
