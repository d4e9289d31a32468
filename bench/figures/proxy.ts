import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { runMeshwatch } from '../../test/support/start-meshwatch.ts'
import type { BenchOptions } from '../bench-options.ts'
import { count, type Figure, megabytes, ms } from '../figure.ts'
import { freePort } from '../free-port.ts'
import { readProcessUsage } from '../process-usage.ts'
import { withDirectory } from '../with-directory.ts'

const NGINX = '/usr/sbin/nginx'
const ANSWER = `{"id":"7f3d","status":"paid","amount":1299,"currency":"EUR","items":[1,2,3],"customer":"c-102934","note":"${'x'.repeat(20)}"}`

interface Load {
  readonly requestsPerSecond: number
  readonly p99Ms: number
  readonly failed: number
  readonly cpuSeconds: number
  readonly requests: number
  readonly rssBytes: number
}

/**
 * Requests per CPU second of the proxy beside nginx as a proxy, in the same run, over the same upstream (nginx, 124 bytes) from the same
 * load generator (wrk, one thread). Ours has a policy (retries, limits, ejection) and sends its telemetry: all metrics, 1 % of the traces. The machine's cores are shared by all of them, so CPU time per request is the figure that
 * counts, and p99 is that of a saturated machine.
 */
export async function measureProxy(options: BenchOptions): Promise<readonly Figure[]> {
  if (!existsSync(NGINX)) throw new Error('Cannot measure: Debian’s packages nginx and wrk are not installed')
  const seconds = options.seconds ?? 10
  const connections = options.connections ?? 64
  return withDirectory(options, async (directory) => {
    const stops: (() => Promise<unknown>)[] = []
    try {
      const upstream = await startNginx(directory, 'upstream', `return 200 '${ANSWER}';`)
      stops.push(upstream.stop)
      const nginx = await startNginx(
        directory,
        'proxy',
        'proxy_pass http://payments; proxy_http_version 1.1; proxy_set_header Connection "";',
        `upstream payments { server 127.0.0.1:${upstream.port}; keepalive 128; }`,
      )
      stops.push(nginx.stop)
      const own = await startOwn(directory, upstream.port)
      stops.push(own.stop)
      const direct = await load(upstream, seconds, connections)
      const beside = await load(nginx, seconds, connections)
      const ours = await load(own, seconds, connections)
      const perCpu = (one: Load) => one.requests / one.cpuSeconds
      const cost = (one: Load) => `${((one.cpuSeconds / one.requests) * 1e6).toFixed(1)} µs of CPU each`
      console.log(`upstream alone: ${count(direct.requestsPerSecond)} requests/s`)
      return [
        {
          what: 'proxy: requests per CPU second',
          value: `${count(perCpu(ours))} (${cost(ours)})`,
          beside: `nginx ${count(perCpu(beside))} (${cost(beside)}): ${Math.round((100 * perCpu(ours)) / perCpu(beside))} %`,
        },
        {
          what: `requests/s, ${connections} connections`,
          value: count(ours.requestsPerSecond),
          beside: `nginx ${count(beside.requestsPerSecond)}`,
        },
        { what: 'p99, saturated', value: ms(ours.p99Ms), beside: `nginx ${ms(beside.p99Ms)}` },
        {
          what: 'resident memory',
          value: megabytes(ours.rssBytes),
          beside: `nginx ${megabytes(beside.rssBytes)}`,
        },
        {
          what: 'answers other than 200',
          value: String(ours.failed),
          target: '0',
          isReached: ours.failed === 0,
          beside: `nginx ${beside.failed}`,
        },
      ]
    } finally {
      for (const stop of stops.reverse()) await stop()
    }
  })
}

interface Target {
  readonly port: number
  readonly pid: number
  readonly stop: () => Promise<unknown>
}

async function startNginx(directory: string, name: string, location: string, extra = ''): Promise<Target> {
  const port = await freePort()
  const home = join(directory, name)
  mkdirSync(home)
  const file = join(home, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${home}/pid; error_log ${home}/error.log;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path ${home}/1; proxy_temp_path ${home}/2; fastcgi_temp_path ${home}/3; uwsgi_temp_path ${home}/4; scgi_temp_path ${home}/5;
  ${extra}
  server { listen 127.0.0.1:${port}; location / { ${location} } }
}
`,
  )
  const child = spawn(NGINX, ['-c', file, '-e', join(home, 'error.log')], { stdio: 'ignore' })
  return started(child, port)
}

async function startOwn(directory: string, upstreamPort: number): Promise<Target> {
  const file = join(directory, 'proxy.yaml')
  writeFileSync(
    file,
    `kind: Proxy
name: bench
listeners: [{role: outbound, address: '127.0.0.1:0'}]
otlp: {endpoint: 'http://127.0.0.1:${upstreamPort}'}
tracing: {sampling: 1}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: payments}
spec:
  hosts: [payments]
  http:
    - timeout: 5s
      retries: {attempts: 2, perTryTimeout: 2s, retryOn: '5xx,reset,connect-failure'}
      route: [{destination: {host: payments}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: payments}
spec: {host: payments, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 5}, connectionPool: {http: {http2MaxRequests: 1000, maxRetries: 10}}}}
---
clusters:
  - {host: payments.default.svc.cluster.local, port: 8080, endpoints: [{address: '127.0.0.1:${upstreamPort}'}]}
`,
  )
  const proxy = runMeshwatch({ args: ['proxy', '--config', file] })
  const ready = await proxy.event('ready')
  const [listener] = ready['listeners'] as { address: string }[]
  return {
    port: Number(listener?.address.split(':')[1]),
    pid: proxy.child.pid ?? 0,
    stop: async () => {
      proxy.child.kill('SIGTERM')
      await proxy.exit
    },
  }
}

async function started(child: ChildProcess, port: number): Promise<Target> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) break
    await delay(50)
  }
  return {
    port,
    pid: child.pid ?? 0,
    stop: async () => {
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    },
  }
}

const WARM_UP_SECONDS = 3

async function load(target: Target, seconds: number, connections: number): Promise<Load> {
  await wrk(target.port, WARM_UP_SECONDS, connections)
  const before = readProcessUsage(target.pid)
  const result = await wrk(target.port, seconds, connections)
  const after = readProcessUsage(target.pid)
  return { ...result, cpuSeconds: after.cpuSeconds - before.cpuSeconds, rssBytes: after.rssBytes }
}

async function wrk(port: number, seconds: number, connections: number) {
  const { stdout } = await promisify(execFile)('wrk', [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--latency',
    '-H',
    'Host: payments',
    `http://127.0.0.1:${port}/pay`,
  ])
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0)
  const [, value = '0', unit = 'ms'] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? []
  return {
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
    requests: number(/(\d+) requests in/),
    failed: number(/Non-2xx or 3xx responses: (\d+)/),
    p99Ms: Number(value) * (unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1),
  }
}
