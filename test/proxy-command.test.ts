import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type MeshwatchProcess, runMeshwatch } from './support/start-meshwatch.ts'
import { proxyText } from './support/start-test-proxy.ts'
import { startUpstream, type Upstream } from './support/start-upstream.ts'

let directory = ''
let running: MeshwatchProcess | null = null
let upstream: Upstream | null = null

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'meshwatch-proxy-'))
  upstream = await startUpstream()
})

afterEach(async () => {
  running?.child.kill('SIGKILL')
  await running?.exit
  running = null
  await upstream?.close()
  rmSync(directory, { recursive: true })
})

function write(name: string, text: string): string {
  const file = join(directory, name)
  writeFileSync(file, text)
  return file
}

function start(...files: string[]): MeshwatchProcess {
  running = runMeshwatch({ args: ['proxy', '--config', ...files] })
  return running
}

function addressOf(line: Record<string, unknown>): string {
  const [listener] = line['listeners'] as { address: string }[]
  return listener?.address ?? ''
}

describe('meshwatch proxy', () => {
  test('says when it is ready, serves, reloads, keeps the old policy when the new one is bad, and drains', async () => {
    const endpoints = [upstream?.address ?? '']
    const file = write('proxy.yaml', proxyText({ endpoints }))
    const proxy = start(file)
    const ready = await proxy.event('ready')
    expect(ready).toMatchObject({ name: 'cart', namespace: 'shop' })
    const ask = () =>
      fetch(`http://${addressOf(ready)}/`, { headers: { connection: 'close' }, method: 'GET' }).then(
        (answer) => answer.status,
      )
    // fetch names the listener as host, which no policy knows.
    expect(await ask()).toBe(404)

    write(
      'proxy.yaml',
      proxyText({ endpoints }).replace('hosts: [payments]', "hosts: [payments, '127.0.0.1']"),
    )
    proxy.child.kill('SIGHUP')
    await proxy.event('policy-reloaded')
    expect(await ask()).toBe(200)

    write('proxy.yaml', proxyText({ endpoints }).replace('attempts: 0', 'attempts: many'))
    proxy.child.kill('SIGHUP')
    const failed = await proxy.event('reload-failed')
    expect(failed['reason']).toMatch(
      /proxy\.yaml:\d+:\d+: error FIELD_INVALID: .*; the policy in force stays$/s,
    )
    expect(await ask()).toBe(200)

    const slow = Promise.withResolvers<void>()
    if (upstream !== null) {
      upstream.handle = (request, response) => {
        request.resume()
        slow.promise.then(() => response.end('late'))
        proxy.child.kill('SIGTERM')
      }
    }
    const late = fetch(`http://${addressOf(ready)}/`).then((answer) => answer.text())
    await proxy.event('stopping')
    slow.resolve()
    expect(await late).toBe('late')
    expect(await proxy.exit).toBe(0)
  })

  test('tells every problem with its place in one go and exits with 1', async () => {
    const text = proxyText({ endpoints: ['127.0.0.1:9'] })
    const file = write(
      'bad.yaml',
      text.replace('drain: 2s', 'drain: soon\nportt: 1').replace('attempts: 0', 'attempts: -1'),
    )
    const proxy = start(file)
    expect(await proxy.exit).toBe(1)
    expect(proxy.stdout()).toBe('')
    const lines = proxy.stderr().trim().split('\n')
    expect(lines[0]).toBe('Cannot use the configuration:')
    expect(lines.slice(1).map((line) => /bad\.yaml:(\d+:\d+): error (\w+):/.exec(line)?.slice(1))).toEqual([
      ['9:1', 'FIELD_INVALID'],
      ['10:1', 'FIELD_UNKNOWN'],
      [expect.stringMatching(/^\d+:\d+$/), 'FIELD_INVALID'],
    ])
  })

  test.each([
    ['no file', (): string => join(directory, 'none.yaml'), /^Cannot read the configuration: ENOENT/],
    [
      'no Proxy document',
      () => write('empty.yaml', 'clusters: []\n'),
      /^Cannot use the configuration: none of .* has a document "kind: Proxy"\n$/,
    ],
    [
      'a taken port',
      () =>
        write(
          'taken.yaml',
          proxyText({ endpoints: [] }).replace(
            "role: outbound, address: '127.0.0.1:0'",
            `role: outbound, address: '${upstream?.address}'`,
          ),
        ),
      /^Cannot listen on 127\.0\.0\.1:\d+ \(listeners\[0\]\): another process is using that port\n$/,
    ],
  ])('%s: one sentence and 1', async (_name, file, sentence) => {
    const proxy = start(file())
    expect(await proxy.exit).toBe(1)
    expect(proxy.stderr()).toMatch(sentence)
  })
})
