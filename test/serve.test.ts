import { spawn, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startClickHouseServer } from './support/clickhouse-server.ts'
import { hasOpenssl, makeCertificates } from './support/make-certificates.ts'
import { oneSpan } from './support/one-span.ts'
import { mountSmallVolume, whyNoVolume } from './support/small-volume.ts'
import { type MeshwatchServer, runMeshwatch, startMeshwatch } from './support/start-meshwatch.ts'

const noVolume = whyNoVolume()
if (noVolume !== null) console.info(`skipped: ${noVolume}`)

let dir: string
const servers: MeshwatchServer[] = []

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'meshwatch-serve-'))
})

afterEach(async () => {
  for (const server of servers.splice(0)) {
    if (server.child.exitCode === null) server.child.kill('SIGKILL')
    await server.exit
  }
  rmSync(dir, { recursive: true, force: true })
})

async function start(
  environment: Record<string, string> = {},
  args: string[] = [],
): Promise<MeshwatchServer> {
  const server = await startMeshwatch({ dataDir: join(dir, 'data'), environment, args })
  servers.push(server)
  return server
}

/** Runs `serve` where it must fail; returns what it said. */
async function failedStart(environment: Record<string, string>, dataDir = join(dir, 'data')) {
  const failed = runMeshwatch({ args: ['serve', '--data-dir', dataDir], environment })
  const code = await failed.exit
  return { code, stderr: failed.stderr(), stdout: failed.stdout() }
}

/** One sentence: one line, no stack. */
function expectOneSentence({ code, stderr }: { code: number | string; stderr: string }, pattern: RegExp) {
  expect(stderr).toMatch(pattern)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stderr).not.toMatch(/ {4}at |node:internal/)
  expect(code).toBe(1)
}

describe('a server', () => {
  test('says that it is ready, answers, and stops on SIGTERM with 0', async () => {
    const server = await start()
    const ready = await server.event('ready')
    expect(ready).toMatchObject({
      level: 'info',
      event: 'ready',
      http: expect.stringMatching(/^http:\/\/127/),
    })
    expect(server.stdout()).toMatch(/^\{"level":"info","event":"ready","http":"http:\/\/127\.0\.0\.1:\d+"/m)

    const health = await fetch(`${server.url}/healthz`)
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }])
    const readiness = await fetch(`${server.url}/readyz`)
    expect(readiness.status).toBe(200)
    expect(await readiness.json()).toMatchObject({
      status: 'ready',
      dependencies: {
        storage: { isReady: true, kind: 'embedded' },
        ingest: { isReady: true, journalBytes: 0, oldestUnloadedAgeSeconds: 0 },
        alerting: { isReady: true },
      },
    })
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toMatch(/^meshwatch_build_info\{.*clickhouse="26\..*\} 1$/m)
    for (const name of [
      'meshwatch_storage_duration_seconds',
      'meshwatch_ingest_lag_seconds',
      'meshwatch_journal_bytes',
    ]) {
      expect(metrics).toContain(`# TYPE ${name} `)
    }
    expect(await (await fetch(`${server.url}/api/services`)).json()).toEqual({ services: [] })
    expect((await fetch(`${server.url}/nowhere`)).status).toBe(404)

    expect(await server.stop()).toBe(0)
    expect(server.stderr()).toBe('')
  })

  test('stops on SIGINT too, and opens its data again', async () => {
    const first = await start()
    first.child.kill('SIGINT')
    expect(await first.exit).toBe(0)
    const second = await start()
    expect(await second.stop()).toBe(0)
  })

  test('a second signal ends it at once with 1', async () => {
    const server = await start()
    // A request that never becomes complete keeps the server from stopping.
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.once('connect', resolve))
    await new Promise((resolve) => socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n', resolve))
    await fetch(`${server.url}/healthz`)
    server.child.kill('SIGTERM')
    await server.event('stopping')
    // A signal of another kind counts at once; of the same kind only when it is no echo of the first.
    server.child.kill('SIGINT')
    expect(await server.exit).toBe(1)
    expect(server.lines.at(-1)).toMatchObject({ event: 'stopped-at-once' })
    socket.destroy()
  })

  test('a process without the role ingest receives nothing, one without query answers nothing', async () => {
    const asking = await start({}, ['--roles', 'query'])
    expect(await asking.event('ready')).not.toHaveProperty('otlpHttp')
    expect((await fetch(`${asking.url}/api/services`)).status).toBe(200)
    await asking.stop()
    const receiving = await start({}, ['--roles', 'ingest'])
    expect(receiving.otlpHttpUrl).toMatch(/^http:/)
    expect((await fetch(`${receiving.url}/api/services`)).status).toBe(404)
    expect((await fetch(`${receiving.url}/readyz`)).status).toBe(200)
    expect(await receiving.stop()).toBe(0)
  })

  test('an export that is on its way when SIGTERM comes is taken, and there after a restart', async () => {
    const server = await start()
    const body = Buffer.from(JSON.stringify(oneSpan('0af7651916cd43dd8448eb211c80319c')))
    const answer = Promise.withResolvers<number>()
    const request = httpRequest(`${server.otlpHttpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    })
    request.on('response', (response) => answer.resolve(response.resume().statusCode ?? 0))
    request.on('error', answer.reject)
    await new Promise((resolve) => request.write(body.subarray(0, 20), resolve))
    // Another request's answer shows that the server has read what was sent before it.
    await fetch(`${server.otlpHttpUrl}/nowhere`)
    server.child.kill('SIGTERM')
    await server.event('stopping')
    request.end(body.subarray(20))
    expect(await answer.promise).toBe(200)
    expect(await server.exit).toBe(0)

    const again = await start()
    const url = `${again.url}/api/traces/0af7651916cd43dd8448eb211c80319c`
    await waitFor(async () => (await fetch(url)).status === 200)
    const shown = runMeshwatch({ args: ['trace', '0af7651916cd43dd8448eb211c80319c', '--url', again.url] })
    expect(await shown.exit).toBe(0)
    expect(shown.stdout()).toContain('pay now')
    const found = runMeshwatch({ args: ['traces', '--service', 'checkout', '--url', again.url] })
    expect(await found.exit).toBe(0)
    expect(found.stdout()).toContain('0af7651916cd43dd8448eb211c80319c')
    expect(await again.stop()).toBe(0)
  })

  test('the ready line is said even when nothing else is logged', async () => {
    const server = await start({ MESHWATCH_LOG__LEVEL: 'silent' })
    expect(await server.stop()).toBe(0)
    expect(server.lines).toHaveLength(1)
  })
})

let onTerminal: number | null = null

afterEach(() => {
  if (onTerminal === null) return
  try {
    process.kill(onTerminal, 'SIGKILL')
  } catch {
    // It has ended as it should.
  }
  onTerminal = null
})

const hasScript = spawnSync('script', ['--version']).status === 0

test.skipIf(!hasScript)(
  'on a terminal (needs the script program) it speaks lines for people, and the engine is silent',
  async () => {
    const program = join(import.meta.dirname, '../bin/meshwatch.ts')
    const command = `${process.execPath} ${program} serve --data-dir ${join(dir, 'data')}`
    const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd: dir,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'] ?? '',
        MESHWATCH_HTTP__PORT: '0',
        MESHWATCH_INGEST__OTLP_HTTP__PORT: '0',
        MESHWATCH_INGEST__OTLP_GRPC__PORT: '0',
      },
    })
    let text = ''
    let isAsked = false
    terminal.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
      const pid = /ready http=[^\n]* pid=(\d+)/.exec(text)?.[1]
      if (pid === undefined || isAsked) return
      isAsked = true
      onTerminal = Number(pid)
      process.kill(Number(pid), 'SIGTERM')
    })
    const [code] = await once(terminal, 'close')
    const lines = text.trim().split(/\r?\n/)
    expect(lines.filter((line) => !/^\d\d:\d\d:\d\d\.\d{3} (INFO|WARN) /.test(line))).toEqual([])
    expect(lines.at(-1)).toMatch(/INFO {2}stopped$/)
    expect(code).toBe(0)
  },
)

describe('a server that cannot start says why in one sentence', () => {
  test('the port is in use', async () => {
    const blocker = createServer()
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
    const address = blocker.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    try {
      const failed = await failedStart({ MESHWATCH_HTTP__PORT: port })
      expectOneSentence(failed, new RegExp(`^Cannot listen on 127.0.0.1:${port} \\(http\\): another process`))
    } finally {
      blocker.close()
    }
  })

  test('the data directory is in use, and the one that uses it goes on', async () => {
    const server = await start()
    expectOneSentence(await failedStart({}), /^Cannot open the data directory .*another meshwatch/)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    expect(await server.stop()).toBe(0)
  })

  test('the data directory is a file', async () => {
    const file = join(dir, 'file')
    writeFileSync(file, '')
    expectOneSentence(
      await failedStart({}, file),
      /^Cannot use the data directory .*it is a file, not a folder$/m,
    )
    expectOneSentence(await failedStart({}, join(file, 'x')), /part of the path is a file/)
  })

  test.skipIf(noVolume !== null)('the disk is read-only', async () => {
    const volume = mountSmallVolume(64)
    try {
      volume.makeReadOnly()
      expectOneSentence(
        await failedStart({}, volume.path),
        /^Cannot use the data directory .*: its file system is read-only$/m,
      )
      expectOneSentence(
        await failedStart({ MESHWATCH_INGEST__JOURNAL__DIR: volume.path }),
        /^Cannot open the journal in .*: EROFS: read-only file system/,
      )
    } finally {
      volume.remove()
    }
  })

  test.skipIf(noVolume !== null)(
    'the disk is full and there is nothing yet that could be dropped',
    async () => {
      const volume = mountSmallVolume(64)
      try {
        volume.fill()
        expectOneSentence(
          await failedStart({}, volume.path),
          /^Cannot open the data directory .*: the disk is full$/m,
        )
      } finally {
        volume.remove()
      }
    },
  )

  test.skipIf(process.getuid?.() === 0)('the data directory is read-only', async () => {
    chmodSync(dir, 0o500)
    expectOneSentence(await failedStart({}), /this user may not write there/)
    chmodSync(dir, 0o700)
  })

  test('the address is open to the network and nothing protects it', async () => {
    expectOneSentence(
      await failedStart({ MESHWATCH_HTTP__HOST: '0.0.0.0' }),
      /^Cannot listen on 0\.0\.0\.0 \(http\): that is not a loopback address/,
    )
    expectOneSentence(
      await failedStart({ MESHWATCH_INGEST__OTLP_GRPC__HOST: '::' }),
      /^Cannot listen on :: \(ingest\.otlpGrpc\)/,
    )
  })

  test('the configuration is bad', async () => {
    expectOneSentence(
      await failedStart({ MESHWATCH_HTTP__PORT: 'x' }),
      /^Cannot use the configuration: http\.port: expected a number, got "x" \(MESHWATCH_HTTP__PORT\)$/m,
    )
  })

  test('the token file is bad', async () => {
    expectOneSentence(
      await failedStart({ MESHWATCH_HTTP__AUTH__TOKENS_FILE: join(dir, 'none') }),
      /^Cannot use the token file .*none: /,
    )
  })

  test('the ClickHouse server refuses the password', async () => {
    const server = await startClickHouseServer({ username: 'default', password: 'right' })
    const environment = { MESHWATCH_CLICKHOUSE__URL: server.url, MESHWATCH_CLICKHOUSE__PASSWORD: 'wrong-one' }
    const refused = await failedStart(environment)
    expectOneSentence(refused, /^Cannot .*(password|user)/i)
    expect(refused.stderr + refused.stdout).not.toContain('wrong-one')
    await server.remove()
  })

  test('the port of a receiver is in use', async () => {
    const blocker = createServer()
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
    const address = blocker.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    try {
      const http = await failedStart({ MESHWATCH_INGEST__OTLP_HTTP__PORT: port })
      expectOneSentence(http, new RegExp(`^Cannot listen on 127.0.0.1:${port}`))
      const grpc = await failedStart({ MESHWATCH_INGEST__OTLP_GRPC__PORT: port })
      expectOneSentence(grpc, new RegExp(`^Cannot listen on 127.0.0.1:${port}`))
    } finally {
      blocker.close()
    }
  })
})

test('open to the network on purpose', async () => {
  const server = await start({ MESHWATCH_HTTP__HOST: '0.0.0.0', MESHWATCH_HTTP__AUTH__INSECURE: 'true' })
  expect((await fetch(`${server.url.replace('0.0.0.0', '127.0.0.1')}/healthz`)).status).toBe(200)
  expect(await server.stop()).toBe(0)
})

describe('tokens', () => {
  const OLD = 'old-token-0123456789'
  const NEW = 'new-token-0123456789'

  test('protect the API, and SIGHUP takes new ones or keeps the old', async () => {
    const file = join(dir, 'tokens.yaml')
    const write = (token: string) =>
      writeFileSync(file, `tokens: [{ name: n, token: ${token}, scopes: [read], tenant: shop }]`)
    write(OLD)
    const server = await start({ MESHWATCH_HTTP__AUTH__TOKENS_FILE: file })
    const status = async (token?: string) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
      return (await fetch(`${server.url}/metrics`, { headers })).status
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    expect([await status(), await status(NEW), await status(OLD)]).toEqual([401, 401, 200])

    writeFileSync(file, 'tokens: nonsense')
    server.child.kill('SIGHUP')
    expect(await server.event('reload-failed')).toMatchObject({ what: 'tokens' })
    expect(await status(OLD)).toBe(200)

    write(NEW)
    server.child.kill('SIGHUP')
    await waitFor(() =>
      server.lines.some((line) => line['event'] === 'reloaded' && line['what'] === 'tokens'),
    )
    expect([await status(OLD), await status(NEW)]).toEqual([401, 200])
    expect(server.stdout()).not.toContain(NEW)
    expect(await server.stop()).toBe(0)
  })
})

describe.skipIf(!hasOpenssl)('TLS (needs the openssl program)', () => {
  test('with client certificates: none is refused, one of the authority is let in', async () => {
    const files = makeCertificates(dir)
    const server = await start({
      MESHWATCH_HTTP__HOST: '0.0.0.0',
      MESHWATCH_INGEST__OTLP_HTTP__HOST: '0.0.0.0',
      MESHWATCH_HTTP__TLS__CERT_FILE: files.certFile,
      MESHWATCH_HTTP__TLS__KEY_FILE: files.keyFile,
      MESHWATCH_HTTP__TLS__CLIENT_CA_FILE: files.caFile,
    })
    expect(server.url).toMatch(/^https:/)
    const ca = readFileSync(files.caFile)
    const port = Number(new URL(server.url).port)
    const ask = (client: object) =>
      new Promise<number | string>((resolve) => {
        const options = { host: '127.0.0.1', port, path: '/healthz', ca, agent: false, ...client }
        const request = httpsRequest(options, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
        })
        request.on('error', (error) => resolve(String((error as NodeJS.ErrnoException).code)))
        request.end()
      })
    expect(
      await ask({ cert: readFileSync(files.clientCertFile), key: readFileSync(files.clientKeyFile) }),
    ).toBe(200)
    expect(await ask({})).toMatch(/ALERT|RESET|EPIPE/)
    expect(await server.stop()).toBe(0)
  })

  test('SIGHUP renews the certificates of every listener, and a bad one leaves the old in force', async () => {
    const files = makeCertificates(dir)
    const server = await start({
      MESHWATCH_HTTP__TLS__CERT_FILE: files.certFile,
      MESHWATCH_HTTP__TLS__KEY_FILE: files.keyFile,
    })
    const ports = [
      new URL(server.url),
      new URL(server.otlpHttpUrl),
      new URL(`https://${server.otlpGrpcAddress}`),
    ]
    const shown = () => Promise.all(ports.map(({ port }) => certificateOf(Number(port))))
    const first = new X509Certificate(readFileSync(files.certFile)).fingerprint256
    expect(await shown()).toEqual([first, first, first])

    writeFileSync(files.certFile, 'no certificate')
    server.child.kill('SIGHUP')
    await waitFor(() => reloadsOf(server, 'reload-failed').length === 2)
    expect(reloadsOf(server, 'reload-failed')).toEqual(['certificates', 'certificates of the receivers'])
    expect(await shown()).toEqual([first, first, first])

    makeCertificates(dir)
    const second = new X509Certificate(readFileSync(files.certFile)).fingerprint256
    server.child.kill('SIGHUP')
    await waitFor(() => reloadsOf(server, 'reloaded').includes('certificates of the receivers'))
    expect(second).not.toBe(first)
    expect(await shown()).toEqual([second, second, second])
    expect(await server.stop()).toBe(0)
  })

  test('files that do not belong together are named', async () => {
    const files = makeCertificates(dir)
    expectOneSentence(
      await failedStart({
        MESHWATCH_HTTP__TLS__CERT_FILE: files.certFile,
        MESHWATCH_HTTP__TLS__KEY_FILE: files.clientKeyFile,
      }),
      /^Cannot use the TLS files .*server\.pem.*client\.key: /,
    )
  })
})

describe('other commands', () => {
  test('config check prints every problem, or the configuration without secrets', async () => {
    const good = runMeshwatch({
      args: ['config', 'check'],
      environment: { MESHWATCH_CLICKHOUSE__PASSWORD: 'hunter2' },
      cwd: dir,
    })
    expect(await good.exit).toBe(0)
    expect(good.stdout()).toContain('password: <secret>')
    const file = join(dir, 'bad.yaml')
    writeFileSync(file, 'log: { level: loud }\nzoo: 1\n')
    const bad = runMeshwatch({ args: ['config', 'check', file], cwd: dir })
    expect(await bad.exit).toBe(1)
    expect(bad.stderr()).toContain(
      `log.level: expected one of trace, debug, info, warn, error, fatal, silent, got "loud" (${file}:1)`,
    )
    expect(bad.stderr()).toContain('zoo: unknown key (')
    expect(bad.stderr()).toContain('2 problems')
  })

  test('meshwatch.yaml in the working directory is read', async () => {
    writeFileSync(join(dir, 'meshwatch.yaml'), 'log: { level: loud }\n')
    const bad = runMeshwatch({ args: ['config', 'check'], cwd: dir })
    expect(await bad.exit).toBe(1)
    expect(bad.stderr()).toContain('meshwatch.yaml:1')
  })

  test('version names the program, Node and the engine', async () => {
    const version = runMeshwatch({ args: ['version'] })
    expect(await version.exit).toBe(0)
    expect(version.stdout()).toMatch(/^meshwatch \d.*\nNode\.js 24\..*\nClickHouse 26\./)
  })

  test.each([[['nonsense']], [['serve', '--nonsense']], [['serve', '--roles', 'cooking']]])(
    'wrong arguments end with 2: %j',
    async (args) => {
      const wrong = runMeshwatch({ args })
      expect(await wrong.exit).toBe(2)
      expect(wrong.stderr()).not.toBe('')
    },
  )
})

/** Gives the event loop a turn until the claim holds. The test's own time limit bounds it. */
async function waitFor(claim: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await claim())) await new Promise((resolve) => setImmediate(resolve))
}

/** What the log says was reloaded, or could not be. */
function reloadsOf(server: MeshwatchServer, event: 'reloaded' | 'reload-failed'): readonly unknown[] {
  return server.lines.filter((line) => line['event'] === event).map((line) => line['what'])
}

/** The fingerprint of the certificate that a new connection is shown. */
async function certificateOf(port: number): Promise<string> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
  })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}
