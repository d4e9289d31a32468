import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../runtime/clock.ts'
import { hostPort } from '../../runtime/listen-error.ts'
import type { ClusterTable } from '../http/cluster-table.ts'
import type { ProxyFiles } from '../load-proxy-files.ts'
import type { MetricRegistry } from '../telemetry/metric-registry.ts'
import { prometheusText } from '../telemetry/prometheus-text.ts'
import { describeClusters } from './describe-clusters.ts'
import { describePolicy } from './describe-policy.ts'

/** What the admin port shows and moves. */
export interface AdminDeps {
  readonly clusters: ClusterTable
  readonly registry: MetricRegistry
  readonly files: () => ProxyFiles
  readonly clock: Clock
}

/** The admin port. */
export interface Admin {
  readonly address: string
  /** From now on `/ready` says no, so that nobody sends anything more. */
  setDraining(): void
  readonly close: () => Promise<void>
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** Opens the admin port. Rejects with what listening fails with. */
export async function startAdmin(deps: AdminDeps, host: string, port: number): Promise<Admin> {
  let isDraining = false
  const server = createServer((request, response) => {
    request.resume()
    send(response, answer(deps, request, isDraining))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const bound = server.address() as AddressInfo
  return {
    address: hostPort(bound.address, bound.port),
    setDraining() {
      isDraining = true
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(deps: AdminDeps, request: IncomingMessage, isDraining: boolean): Answer {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://admin')
  const { method } = request
  if (method === 'POST') return post(deps, request, pathname, searchParams)
  if (method !== 'GET' && method !== 'HEAD') return problem(405, 'METHOD_NOT_ALLOWED', `no ${method} here`)
  switch (pathname) {
    case '/ready':
      return isDraining ? text(503, 'DRAINING\n') : text(200, 'LIVE\n')
    case '/clusters':
      return json(200, { clusters: describeClusters(deps.clusters.all()) })
    case '/config':
      return json(200, describePolicy(deps.files()))
    case '/stats/prometheus':
      return { ...text(200, prometheusText(deps.registry.collect())), type: TEXT_FORMAT }
    default:
      return problem(404, 'NOT_FOUND', `nothing at ${pathname}`)
  }
}

const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8'
const MOVE = /^\/clusters\/([^/]+)\/endpoints\/([^/]+)\/(eject|uneject)$/

function post(
  deps: AdminDeps,
  request: IncomingMessage,
  pathname: string,
  parameters: URLSearchParams,
): Answer {
  // A page in somebody's browser can send a POST here; no tool of ours sends an Origin.
  if (request.headers.origin !== undefined) {
    return problem(403, 'PERMISSION_DENIED', 'browsers may not change anything here')
  }
  const match = MOVE.exec(pathname)
  if (match === null) return problem(404, 'NOT_FOUND', `nothing at ${pathname}`)
  const [name = '', address = ''] = [decode(match[1]), decode(match[2])]
  const cluster = [...deps.clusters.all()].find((candidate) => candidate.name === name)
  if (cluster === undefined) return problem(404, 'NOT_FOUND', `there is no cluster "${name}"`)
  const seconds = parameters.get('seconds')
  if (seconds !== null && !/^\d{1,7}$/.test(seconds)) {
    return problem(400, 'INVALID_ARGUMENT', 'seconds must be a whole number')
  }
  const untilMs = seconds === null ? undefined : deps.clock.now() + Number(seconds) * 1000
  const isDone = match[3] === 'eject' ? cluster.eject(address, untilMs) : cluster.uneject(address)
  if (!isDone) return problem(404, 'NOT_FOUND', `cluster "${name}" has no endpoint "${address}"`)
  return json(200, { clusters: describeClusters([cluster]) })
}

function decode(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? '')
  } catch {
    return part ?? ''
  }
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body }
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(value, null, 2)}\n` }
}

function problem(status: number, code: string, message: string): Answer {
  return json(status, { error: { code, message } })
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(body)
}
